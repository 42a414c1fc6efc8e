/**
 * Inputs that reached code which none before them had: `npm run fuzz -- --guided --keep` finds
 * them. One a line: the target's name, a tab, and the bytes in hex.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '../../src/core/base/bytes.ts'

const FILE = fileURLToPath(new URL('grown-corpus.txt', import.meta.url))
/** Longer ones say little more, and everybody has them in his clone. */
const KEPT_BYTES_MAX = 400

let known: ReadonlyMap<string, readonly Uint8Array[]> | null = null

export function grownFor(target: string): readonly Uint8Array[] {
  known ??= load()
  return known.get(target) ?? []
}

/** Beside what is there. Returns how many there are now. */
export function keep(found: ReadonlyMap<string, readonly Uint8Array[]>): number {
  const lines = new Set(existsSync(FILE) ? linesOf(readFileSync(FILE, 'utf8')) : [])
  for (const [target, inputs] of found) {
    for (const bytes of inputs) {
      if (bytes.length <= KEPT_BYTES_MAX) lines.add(`${target}\t${toHex(bytes)}`)
    }
  }
  writeFileSync(FILE, [...lines].sort().join('\n') + '\n')
  return lines.size
}

function load(): Map<string, Uint8Array[]> {
  const all = new Map<string, Uint8Array[]>()
  for (const line of existsSync(FILE) ? linesOf(readFileSync(FILE, 'utf8')) : []) {
    const [target = '', hex = ''] = line.split('\t')
    const before = all.get(target)
    if (before === undefined) all.set(target, [fromHex(hex)])
    else before.push(fromHex(hex))
  }
  return all
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
