/** `zabra snapshot sum` and `zabra snapshot compare`: where the data is, and what has changed. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { messageOf } from '../../core/base/message-of.ts'
import { openSnapshot } from './snapshot-file.ts'
import { differenceLines, sumLines } from './subtree-sums.ts'
import { writeLine } from './tool.ts'

export const SUMS_USAGE = `       zabra snapshot sum [--depth N] FILE [PATH]
       zabra snapshot compare [--nodes N] [--bytes N] FIRST SECOND

sum      how many znodes and bytes of data each subtree has, N levels below PATH (1, /)
compare  subtrees that have more or fewer of them in SECOND, by more than N (0), and which
         data is another; the exit code is 1 where there are any
`

const ARE_ALIKE = 0
const DIFFER = 1
const TROUBLE = 2

export async function runSum(args: readonly string[]): Promise<number> {
  return guarded(async () => {
    const options = { depth: { type: 'string', default: '1' } } as const
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
    const [file, top = '/', ...more] = positionals
    if (file === undefined || more.length > 0) throw new Error('name a snapshot, and a path in it')
    const { tree } = openSnapshot(file)
    for (const line of sumLines(tree, top, whole('depth', values.depth))) await writeLine(line)
    return ARE_ALIKE
  })
}

export async function runCompare(args: readonly string[]): Promise<number> {
  return guarded(async () => {
    const zero = { type: 'string', default: '0' } as const
    const options = { nodes: zero, bytes: zero }
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
    const [first, second, ...more] = positionals
    if (first === undefined || second === undefined || more.length > 0) {
      throw new Error('name two snapshots')
    }
    const thresholds = {
      nodes: whole('nodes', values.nodes),
      bytes: whole('bytes', values.bytes),
    }
    let found = ARE_ALIKE
    const [left, right] = [openSnapshot(first).tree, openSnapshot(second).tree]
    for (const line of differenceLines(left, right, thresholds)) {
      found = DIFFER
      await writeLine(line)
    }
    return found
  })
}

async function guarded(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    const text = messageOf(error)
    process.stderr.write(`zabra snapshot: ${text}\n\nusage:\n${SUMS_USAGE}`)
    return TROUBLE
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} ${text}: a whole number from 0 on`)
  return Number(text)
}
