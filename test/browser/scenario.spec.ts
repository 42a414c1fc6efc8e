// The three-machine session of master, backup and worker, typed into real tabs in 3.4 mode. Log
// lines, zxids, session ids and times differ; lists of children are sets; prompts without a command
// and empty lines are the terminal's.
import { expect } from 'playwright/test'
import { MACHINE_1, MACHINE_1_AGAIN, MACHINE_2, MACHINE_3 } from '../cli/seed-000-transcripts.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { type MachinePage, threeOf } from './machine-page.ts'

function comparable(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^\[zk: [^\]]*\]$/.test(line))
    .map((line) => {
      const list = /^\[(?!zk:)(.*)\]$/.exec(line)
      if (list !== null) return `{${(list[1] ?? '').split(', ').sort().join(', ')}}`
      return line
        .replace(/0x[1-9a-f][0-9a-f]*/g, '0x<id>')
        .replace(/\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4}/g, '<date>')
        .replace(/\s+/g, ' ')
    })
}

async function expectSession(machine: MachinePage, transcript: string): Promise<void> {
  expect(withoutConnectionEvents(await machine.lines())).toEqual(
    withoutConnectionEvents(transcript.split('\n')),
  )
}

const DELETED = 'WatchedEvent state:SyncConnected type:NodeDeleted path:/master'
const CHILDREN = 'WatchedEvent state:SyncConnected type:NodeChildrenChanged path:'

test('the session of three machines comes out word for word', async ({ site, ensemble }) => {
  test.setTimeout(120_000)
  const room = await ensemble(3, { url: site.room('&shell=3.4&timeout=6000') })
  const [first, second, third] = threeOf(room)
  const firstId = await first.page.evaluate(() => history.state as unknown)

  for (const machine of [first, second]) await machine.expectLine(/SyncConnected type:None/)
  await first.type('ls /')
  await first.type('create -e /master "master1.example.com:2223"')
  await first.type('ls /')
  await first.type('get /master')
  // Typed it would be in the transcript: its server may have the acknowledged write a moment later.
  await (await TabClient.open(second.member)).sync('/')
  await second.type('ls /')
  await second.type('create -e /master "master2.example.com:2223"')
  await second.type('stat /master true')
  await expectSession(first, MACHINE_1)

  await first.page.getByRole('button', { name: 'Crash this tab' }).click()
  // The wait is made plain: the dead session's remaining time counts down.
  await expect(second.page.getByText(/no client: expires in/).first()).toBeVisible()
  await second.expectLine(DELETED)
  await second.type('ls /')
  await second.type('create -e /master "master2.example.com:2223"')
  for (const path of ['/workers', '/tasks', '/assign']) await second.type(`create ${path} ""`)
  await second.type('ls /')
  await second.type('ls /workers true')
  await second.type('ls /tasks true')

  // Machine 1 comes back, as the same machine, with a new session.
  await first.page.getByRole('button', { name: 'Start it again' }).click()
  await first.expectWhole()
  expect(await first.page.evaluate(() => history.state as unknown)).toEqual(firstId)
  await first.expectLine(/SyncConnected type:None/)
  await first.type('ls /')
  await first.type('create -e /workers/worker1.example.com "worker1.example.com:2224"')
  await first.type('create /assign/worker1.example.com ""')
  await first.type('ls /assign/worker1.example.com true')
  await second.expectLine(`${CHILDREN}/workers`)

  await third.expectLine(/SyncConnected type:None/)
  await third.type('ls /')
  await third.type('create -s /tasks/task- "cmd"')
  await third.type('ls /tasks/task-0000000000 true')
  await second.expectLine(`${CHILDREN}/tasks`)
  await second.type('ls /tasks')
  await second.type('ls /workers')
  await second.type('create /assign/worker1.example.com/task-0000000000 ""')
  await first.expectLine(`${CHILDREN}/assign/worker1.example.com`)
  await first.type('ls /assign/worker1.example.com')
  await first.type('create /tasks/task-0000000000/status "done"')
  await third.expectLine(`${CHILDREN}/tasks/task-0000000000`)
  await third.type('get /tasks/task-0000000000')
  await third.type('get /tasks/task-0000000000/status')

  await expectSession(first, MACHINE_1_AGAIN)
  await expectSession(second, MACHINE_2)
  await expectSession(third, MACHINE_3)
})

/** After each election the connections of a machine went and came back: told once more. */
function withoutConnectionEvents(lines: readonly string[]): string[] {
  const events = /^WATCHER::$|state:Disconnected type:None|state:SyncConnected type:None/
  return comparable(lines).filter((line) => !events.test(line))
}
