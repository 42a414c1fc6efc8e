// The three terminals of a master–worker session, typed again in 3.4 mode. Log lines are left
// out; zxids, session ids and times differ; lists of children are sets.
import { expect, test } from 'vitest'
import { EnsembleBench, type ClientBench } from '../client/ensemble-bench.ts'
import { SingleMemberBench } from '../client/single-member-bench.ts'
import { MACHINE_1, MACHINE_1_AGAIN, MACHINE_2, MACHINE_3 } from './seed-000-transcripts.ts'
import { TerminalModel } from './terminal-model.ts'

/** The time-out of 30 s, a tick, and some more. */
const EXPIRY_MS = 34_000

function comparable(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const list = /^\[(?!zk:)(.*)\]$/.exec(line)
    if (list !== null) return `{${(list[1] ?? '').split(', ').sort().join(', ')}}`
    return line
      .replace(/0x[1-9a-f][0-9a-f]*/g, '0x<id>')
      .replace(/\w{3} \w{3} \d\d \d\d:\d\d:\d\d CST \d{4}/g, '<date>')
  })
}

function expectSame(lines: readonly string[], transcript: string): void {
  const wanted = transcript.trim().split('\n')
  expect(comparable(lines)).toEqual(comparable(wanted))
}

async function type(terminal: TerminalModel, ...lines: string[]): Promise<void> {
  for (const line of lines) await terminal.type(line)
}

/** Machine 1 is master until it dies without a word; machine 2 watches. */
async function untilMasterDies(first: TerminalModel, second: TerminalModel): Promise<void> {
  const create = 'create -e /master "master1.example.com:2223"'
  await type(first, 'ls /', create, 'ls /', 'get /master')
  await type(second, 'ls /', 'create -e /master "master2.example.com:2223"')
  await type(second, 'stat /master true', '')
}

async function takeOver(second: TerminalModel): Promise<void> {
  await type(second, '', 'ls /', 'create -e /master "master2.example.com:2223"')
  await type(second, 'create /workers ""', 'create /tasks ""', 'create /assign ""', 'ls /')
  await type(second, 'ls /workers true', 'ls /tasks true')
}

async function work(
  worker: TerminalModel,
  master: TerminalModel,
  openClient: () => Promise<TerminalModel>,
): Promise<TerminalModel> {
  const create = 'create -e /workers/worker1.example.com "worker1.example.com:2224"'
  await type(worker, 'ls /', create, 'create /assign/worker1.example.com ""')
  await type(worker, 'ls /assign/worker1.example.com true')
  const client = await openClient()
  await type(client, 'ls /', 'create -s /tasks/task- "cmd"', 'ls /tasks/task-0000000000 true')
  await type(master, '', 'ls /tasks', 'ls /workers')
  await type(master, 'create /assign/worker1.example.com/task-0000000000 ""')
  await type(worker, '', 'ls /assign/worker1.example.com')
  await type(worker, 'create /tasks/task-0000000000/status "done"')
  await type(client, '', 'get /tasks/task-0000000000', 'get /tasks/task-0000000000/status')
  return client
}

test.each([
  ['three servers', (): ClientBench => new EnsembleBench({ followers: 2 })],
  ['one whole member with its disk', (): ClientBench => new SingleMemberBench()],
])('the session comes out word for word: %s', async (_, makeBench) => {
  const bench = makeBench()
  const open = (member: number): Promise<TerminalModel> =>
    new TerminalModel(bench, { member, mode: '3.4' }).start()
  const [first, second] = [await open(0), await open(1)]
  await untilMasterDies(first, second)
  expectSame(first.lines(), MACHINE_1)
  first.transport.crash()
  await bench.pass(EXPIRY_MS)
  await takeOver(second)
  const again = await open(0)
  const third = await work(again, second, () => open(2))
  expectSame(again.lines(), MACHINE_1_AGAIN)
  expectSame(second.lines(), MACHINE_2)
  expectSame(third.lines(), MACHINE_3)
})
