/** The recorded frames on disk: one JSON file per recording, hex inside, one frame a line. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '../../src/core/base/bytes.ts'

export const FRAMES_DIRECTORY: string = fileURLToPath(new URL('./frames/', import.meta.url))

export interface Frame {
  /** Who sent it: client or server; leader or learner; initiator or acceptor; disk. */
  readonly from: string
  /** What it is: the operation of a request and of its reply, a packet's name, part of a file. */
  readonly what: string
  readonly bytes: Uint8Array
}

export interface Recording {
  readonly name: string
  readonly frames: readonly Frame[]
}

interface StoredRecording {
  readonly about: string
  readonly command: string
  readonly frames: readonly (readonly [from: string, what: string, hex: string])[]
}

const COMMAND = 'npm run record:frames'

export function saveRecording(name: string, about: string, frames: readonly Frame[]): void {
  const lines = frames.map(({ from, what, bytes }) => JSON.stringify([from, what, toHex(bytes)]))
  const head = JSON.stringify({ about, command: COMMAND }).slice(0, -1)
  writeFileSync(`${FRAMES_DIRECTORY}${name}.json`, `${head},"frames":[\n${lines.join(',\n')}\n]}\n`)
}

export function loadRecording(name: string): Recording {
  const text = readFileSync(`${FRAMES_DIRECTORY}${name}.json`, 'utf8')
  const stored = JSON.parse(text) as StoredRecording
  const frames = stored.frames.map(([from, what, hex]) => ({ from, what, bytes: fromHex(hex) }))
  return { name, frames }
}

export function recordingNames(): string[] {
  return readdirSync(FRAMES_DIRECTORY)
    .filter((file) => file.endsWith('.json') && file !== 'constants.json')
    .map((file) => file.slice(0, -'.json'.length))
}
