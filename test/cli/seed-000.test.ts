// The three terminals of a master–worker session, typed again in 3.4 mode. Log lines are left out;
// zxids, session ids and times differ; lists of children are sets.
import { expect, test } from 'vitest'
import { EnsembleBench, type ClientBench } from '../client/ensemble-bench.ts'
import { settle } from '../client/manual-ticker.ts'
import { SingleMemberBench } from '../client/single-member-bench.ts'
import { MACHINE_1, MACHINE_1_AGAIN, MACHINE_2, MACHINE_3 } from './seed-000-transcripts.ts'
import { TerminalModel } from './terminal-model.ts'

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

test.each([
  ['three servers', (): ClientBench => new EnsembleBench({ followers: 2 })],
  ['one whole member with its disk', (): ClientBench => new SingleMemberBench()],
])('the session comes out word for word: %s', async (_, makeBench) => {
  const bench = makeBench()
  const open = (member: number): Promise<TerminalModel> =>
    new TerminalModel(bench, { member, mode: '3.4' }).start()

  const first = await open(0)
  for (const line of [
    'ls /',
    'create -e /master "master1.example.com:2223"',
    'ls /',
    'get /master',
  ]) {
    await first.type(line)
  }
  const second = await open(1)
  for (const line of [
    'ls /',
    'create -e /master "master2.example.com:2223"',
    'stat /master true',
    '',
  ]) {
    await second.type(line)
  }

  // Machine 1 dies without a word; its session expires.
  const shownByFirst = first.lines()
  first.transport.crash()
  await bench.pass(EXPIRY_MS)
  for (const line of [
    '',
    'ls /',
    'create -e /master "master2.example.com:2223"',
    'create /workers ""',
    'create /tasks ""',
    'create /assign ""',
    'ls /',
    'ls /workers true',
    'ls /tasks true',
  ]) {
    await second.type(line)
  }

  const again = await open(0)
  for (const line of [
    'ls /',
    'create -e /workers/worker1.example.com "worker1.example.com:2224"',
    'create /assign/worker1.example.com ""',
    'ls /assign/worker1.example.com true',
  ]) {
    await again.type(line)
  }
  const third = await open(2)
  for (const line of ['ls /', 'create -s /tasks/task- "cmd"', 'ls /tasks/task-0000000000 true']) {
    await third.type(line)
  }
  for (const line of [
    '',
    'ls /tasks',
    'ls /workers',
    'create /assign/worker1.example.com/task-0000000000 ""',
  ]) {
    await second.type(line)
  }
  for (const line of [
    '',
    'ls /assign/worker1.example.com',
    'create /tasks/task-0000000000/status "done"',
  ]) {
    await again.type(line)
  }
  for (const line of ['', 'get /tasks/task-0000000000', 'get /tasks/task-0000000000/status']) {
    await third.type(line)
  }
  await settle()

  expectSame(shownByFirst, MACHINE_1)
  expectSame(again.lines(), MACHINE_1_AGAIN)
  expectSame(second.lines(), MACHINE_2)
  expectSame(third.lines(), MACHINE_3)
})
