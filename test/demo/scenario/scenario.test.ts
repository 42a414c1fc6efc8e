// The scenario as it goes when nothing fails, and what its buttons do.
import { afterEach, expect, test } from 'vitest'
import { CreateMode } from '../../../src/core/jute/create-mode.ts'
import { ScenarioBench, SESSION_TIMEOUT_MS, type BenchTab } from './scenario-bench.ts'

let bench: ScenarioBench
afterEach(() => bench.end())

const isFinished = (tab: BenchTab): boolean => tab.state === 'finished'
const areIdle = (): boolean => bench.tabs.every((tab) => tab.state === 'idle')

async function three(): Promise<[BenchTab, BenchTab, BenchTab]> {
  bench = new ScenarioBench()
  return (await bench.three()) as [BenchTab, BenchTab, BenchTab]
}

test.each([1, 2, 3])('three machines play it to its end; begun in tab %i', async (presser) => {
  const [first, second, third] = await three()
  await bench.tabs[presser - 1]?.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
  expect(first.texts().slice(0, 6)).toEqual([
    'creates /master, as an ephemeral',
    'creates /workers',
    'creates /tasks',
    'creates /assign',
    'watches /workers and /tasks',
    expect.stringMatching(/^(waits for a worker|assigns task)/),
  ])
  expect(second.texts()).toEqual([
    'creates /master, as an ephemeral',
    'is the backup: watches the master',
  ])
  expect(third.texts('client').slice(-2)).toEqual([
    'watches its task and waits',
    'NodeChildrenChanged: reads the status',
  ])
  expect(third.texts('worker').slice(-4)).toEqual([
    'was assigned task-0000000000: reads it',
    'executes “cmd”',
    'creates the status “done” and leaves the assignment',
    'waits for a task',
  ])
  // The top byte of a session id is the server that made it.
  expect(bench.tabs.map(({ steps }) => Number((steps[0]?.sessionId ?? 0n) >> 56n))).toEqual([
    1, 2, 3,
  ])
  expect(await bench.tree()).toMatchObject({
    '/master': 'master1.example.com',
    '/workers/worker3.example.com': 'worker3.example.com:2224',
    '/tasks/task-0000000000': 'cmd',
    '/tasks/task-0000000000/status': 'done',
  })
})

test('stop removes all of it, and all tabs are ready for another run', async () => {
  const [first] = await three()
  await first.tab.run()
  await bench.until(() => bench.tabs.every(isFinished))
  await first.tab.stop()
  expect(await bench.until(areIdle)).toBe(true)
  expect(await bench.tree()).toEqual({})
  await bench.tabs[2]?.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
})

test('run again, pressed in the middle by two at once: one run, from the beginning', async () => {
  const [first, second, third] = await three()
  await first.tab.run()
  await bench.until(() => third.steps.length > 3)
  await Promise.all([first.tab.run(), second.tab.run()])
  await bench.until(() => false, 1_000)
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
  expect(Object.keys(await bench.tree()).filter((path) => path.startsWith('/tasks/'))).toEqual([
    '/tasks/task-0000000000',
    '/tasks/task-0000000000/status',
  ])
})

test('two press at once: one run', async () => {
  const [first, second] = await three()
  await Promise.all([first.tab.run(), second.tab.run()])
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
})

test('the tab that stops dies at once: another one clears', async () => {
  const [first, second, third] = await three()
  await first.tab.run()
  await bench.until(() => bench.tabs.every(isFinished))
  await first.tab.stop()
  first.crash()
  const others = [second, third]
  expect(await bench.until(() => others.every((tab) => tab.state === 'idle'))).toBe(true)
  expect(await bench.tree()).toEqual({})
})

test("a terminal's own nodes are in the way: refused, named, and left alone", async () => {
  const [first, second] = await three()
  const terminal = await bench.ensemble.connected()
  await terminal.create('/master', 'mine', { mode: CreateMode.EPHEMERAL })
  await terminal.create('/tasks', 'mine too')
  await first.tab.run()
  expect(first.said.at(-1)).toBe(
    '/master, /tasks exist already, and not from a scenario. It needs these names for itself: ' +
      'remove them first, with deleteall.',
  )
  await bench.until(() => false, 1_000)
  expect(second.steps).toEqual([])
  expect(await bench.tree()).toEqual({ '/master': 'mine', '/tasks': 'mine too' })
  await terminal.delete('/tasks')
  await first.tab.run()
  expect(first.said.at(-1)).toMatch(/^\/master exists already.*remove it first/)
  await terminal.delete('/master')
  await first.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
})

test('machine 3 comes late, and a tab that is no voter works too', async () => {
  bench = new ScenarioBench()
  const [first, second] = [bench.open(1), bench.open(2)]
  await bench.until(areIdle)
  await second.tab.run()
  await bench.until(() => first.texts().includes('waits for a worker'))
  const guest = bench.open(null)
  await bench.until(() => guest.texts().includes('waits for a task'))
  const third = bench.open(3)
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
  expect(third.texts('client').length).toBeGreaterThan(0)
  expect(Object.keys(await bench.tree())).toContain('/workers/worker-abcdef.example.com')
})

test('machine 1 is away: its backup does not wait for long', async () => {
  bench = new ScenarioBench()
  const [second] = [bench.open(2), bench.open(3)]
  await bench.until(areIdle)
  await second?.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished), 5_000)).toBe(true)
})

test('a room of one machine plays all parts', async () => {
  bench = new ScenarioBench()
  const only = bench.open(1, null, 1)
  await bench.until(areIdle)
  await only.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
})

test('a worker dies with its task in hand: another gets it', async () => {
  bench = new ScenarioBench()
  const [first, second] = [bench.open(1), bench.open(2)]
  await bench.until(areIdle)
  await first.tab.run()
  await bench.until(() => first.texts().includes('waits for a worker'))
  // It dies when it is about to execute.
  const guest = bench.open(null, { what: 'crash', at: 'step', count: 5 })
  await bench.until(() => guest.texts().includes('waits for a task'))
  // Its name comes first in the order, so the task is its own.
  const third = bench.open(3)
  expect(await bench.until(() => [first, second, third].every(isFinished))).toBe(true)
  expect(guest.texts().at(-1)).toBe('executes “cmd”')
  expect(first.texts().join('; ')).toContain(
    'worker-abcdef.example.com is gone: hands task-0000000000 to worker3.example.com',
  )
})

test('all sessions expire while everybody is cut off: it goes on with new ones', async () => {
  const [first, , third] = await three()
  await first.tab.run()
  await bench.until(() => third.steps.length > 2)
  for (const member of [0, 1, 2]) {
    bench.ensemble.cut.add(member)
    bench.ensemble.lose(member)
  }
  await bench.until(() => false, 3 * SESSION_TIMEOUT_MS)
  bench.ensemble.cut.clear()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
  expect(first.said).toContain('The session of this tab has expired: it goes on with another.')
})

test('somebody deletes /master by hand: there is one master again, and the same end', async () => {
  const [first, second, third] = await three()
  await first.tab.run()
  await bench.until(() => first.outcomes.includes('It is the master.'))
  const terminal = await bench.ensemble.connected()
  await terminal.delete('/master')
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
  await bench.until(() => false, 1_000)
  const owner = (await bench.owners())['/master']
  expect([first.sessionId, second.sessionId]).toContain(owner)
  expect(third.texts('worker').filter((text) => /executes/.test(text)).length).toBe(1)
})

test('rubbish in /scenario is cleared, not obeyed', async () => {
  const [first] = await three()
  const terminal = await bench.ensemble.connected()
  await terminal.create('/scenario', '{"run": 7')
  expect(await bench.until(areIdle)).toBe(true)
  await bench.until(() => false, 1_000)
  expect(await bench.tree()).toEqual({})
  await first.tab.run()
  expect(await bench.until(() => bench.tabs.every(isFinished))).toBe(true)
})

test('the pause is one for all tabs', async () => {
  const [first, second] = await three()
  await first.tab.run()
  await bench.until(() => bench.tabs.every(isFinished))
  await first.tab.setPause(1234)
  await bench.until(() => second.pauses.includes(1234), 2_000)
  expect((await bench.tree())['/scenario/pace']).toBe('1234')
  expect(second.pauses.at(-1)).toBe(1234)
})
