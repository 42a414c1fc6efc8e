/** `zabra snapshot`: shows a snapshot file, as SnapshotFormatter does, sums it up, compares two. */
import { openSnapshot } from './snapshot-file.ts'
import { runCompare, runSum, SUMS_USAGE } from './snapshot-sums-command.ts'
import { snapshotJson, snapshotLines } from './snapshot-text.ts'
import { runTool, type Tool, write, writeLine } from './tool.ts'

const USAGE = `usage: zabra snapshot [--data | --json] FILE
${SUMS_USAGE}
FILE is a snapshot, or a data directory, of which the newest whole one is shown.

  --data, -d  each znode's data in base64
  --json      names and sizes in ncdu's format: … --json FILE | ncdu -f -
`

interface Choice {
  readonly showsData: boolean
  readonly isJson: boolean
}

const SNAPSHOT: Tool<Choice> = {
  name: 'zabra snapshot',
  usage: USAGE,
  takes: 'snapshot file',
  flags: { data: 'd', json: null },
  choose: (given) => {
    const [showsData, isJson] = [given('data'), given('json')]
    if (showsData && isJson) throw new Error('--data or --json, not both')
    return { showsData, isJson }
  },
  run: show,
}

/** Resolves with the exit code. */
export function runSnapshot(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args
  if (word === 'sum') return runSum(rest)
  if (word === 'compare') return runCompare(rest)
  return runTool(SNAPSHOT, args)
}

async function show({ showsData, isJson }: Choice, path: string): Promise<number> {
  const { zxid, tree } = openSnapshot(path)
  const lines = isJson ? snapshotJson(tree, Date.now()) : snapshotLines(tree, { showsData, zxid })
  for (const line of lines) await (isJson ? write(line) : writeLine(line))
  if (isJson) await write('\n')
  return 0
}
