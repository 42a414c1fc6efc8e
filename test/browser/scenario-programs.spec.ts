// The scenario as programs in three real tabs: begun in any of them, ended the same when the tab of
// the master is closed or crashes in the middle, and cleared away without a trace.
import { expect, type Locator } from 'playwright/test'
import { test } from '../../src/playwright/fixtures.ts'
import { MachinePage, PATIENCE_MS, threeOf } from './machine-page.ts'

const THE_END = 'The end: the client has seen it. The status of task-0000000000 is “done”.'

const press = (machine: MachinePage, name: string): Promise<void> =>
  machine.page.getByRole('button', { name }).click({ timeout: PATIENCE_MS })
const steps = (machine: MachinePage): Locator =>
  machine.page.getByRole('list', { name: 'steps of this machine' }).getByRole('listitem')

async function expectStep(machine: MachinePage, text: string): Promise<void> {
  await expect(steps(machine).filter({ hasText: text }).first()).toBeVisible({
    timeout: PATIENCE_MS,
  })
}

async function expectEnd(...machines: MachinePage[]): Promise<void> {
  for (const { page } of machines) {
    await expect(page.getByText(THE_END)).toBeVisible({ timeout: PATIENCE_MS })
  }
}

/** The machines that made the sessions of these steps, by their ids. */
async function serversOf(machine: MachinePage): Promise<number[]> {
  const texts = await steps(machine).allTextContents()
  const ids = texts.map((text) => BigInt(/0x[0-9a-f]+/.exec(text)?.[0] ?? 0))
  return [...new Set(ids.map((id) => Number(id >> 56n)))]
}

async function setPause(machine: MachinePage, ms: number): Promise<void> {
  await machine.page.getByRole('slider', { name: 'Pause between steps' }).fill(String(ms))
}

/** What a person reads in another machine's terminal. */
async function expectDone(machine: MachinePage): Promise<void> {
  for (const [line, answer] of [
    ['ls /tasks', '[task-0000000000]'],
    ['ls /tasks/task-0000000000', '[status]'],
    ['get /tasks/task-0000000000', 'cmd'],
    ['get /tasks/task-0000000000/status', 'done'],
  ] as const) {
    await machine.type(line)
    await machine.expectLine(answer)
  }
  await machine.page.keyboard.press('Control+l')
}

test('three tabs play it, and the master may go at any moment', async ({ ensemble }) => {
  test.setTimeout(180_000)
  const room = await ensemble(3)
  const [first, second, third] = threeOf(room)

  // Undisturbed, and begun by the backup.
  await setPause(second, 100)
  await press(second, 'Run the scenario')
  await expectEnd(first, second, third)
  expect([await serversOf(first), await serversOf(second), await serversOf(third)]).toEqual([
    [1],
    [2],
    [3],
  ])
  await expectStep(first, 'master assigns task-0000000000 to worker3.example.com')
  await expectStep(second, 'master is the backup: watches the master')
  await expectStep(third, 'worker executes “cmd”')
  await expectStep(third, 'client NodeChildrenChanged: reads the status')
  // Where each program is now, and only that, is the current step.
  await expect(first.page.locator('[aria-current=step]')).toHaveText([/waits for tasks/])
  await expect(third.page.getByRole('slider')).toHaveAttribute('aria-valuetext', '0.1 s')
  await expectDone(third)

  // Once more; the master's tab is closed in the middle of its set-up.
  await setPause(third, 800)
  await press(third, 'Run again')
  // What the last run left on the page goes first.
  await expect(steps(first).filter({ hasText: 'master assigns' })).toHaveCount(0)
  await expectStep(first, 'master creates /tasks')
  await room.close(first.member)
  await expectStep(second, 'It is the master.')
  await expectEnd(second, third)
  await expectDone(third)

  // It comes back: stands by, and works as the machine 1 of the seed does.
  const again = new MachinePage(await room.add())
  await again.expectWhole()
  await again.expectState({ sid: 1 })
  await expectStep(again, 'worker waits for a task')
  await expectStep(again, 'master is the backup: watches the master')

  // Once more; the master's tab crashes with a task to hand out.
  await press(second, 'Run again')
  await expectStep(again, 'master assigns task-0000000000')
  await room.kill(again.member)
  await expectStep(second, 'It is the master.')
  await expectEnd(second, third)
  await expectDone(third)

  await press(second, 'Stop and clean up')
  for (const { page } of [second, third]) {
    const run = page.getByRole('button', { name: 'Run the scenario' })
    await expect(run).toBeEnabled({ timeout: PATIENCE_MS })
  }
  await third.type('ls /')
  await third.expectLine('[zookeeper]')

  // What a person made by hand is not touched.
  await third.type('create /tasks "by hand"')
  await press(second, 'Run the scenario')
  await expect(second.page.getByText(/^\/tasks exists already.*remove it first/)).toBeVisible({
    timeout: PATIENCE_MS,
  })
  await third.type('get /tasks')
  await third.expectLine('by hand')
})
