// Machines that sleep: the whole process, as under a closed lid, and clocks that disagree about it.
import { expect } from 'playwright/test'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { test } from '../../src/playwright/fixtures.ts'
import type { Member } from '../../src/playwright/member.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { leaderOf, openMachine } from './machine-page.ts'
import { expectHeard, insist, lasting, latest, put } from './tab-words.ts'

/** Two ticks: the shortest session there is. */
const SHORT_SESSION_MS = 4_000
/** Longer than such a session, shorter than the patience of the other ones. */
const SLEEP_MS = 7_000
const PATIENT_MS = 40_000
const HOUR_MS = 3_600_000
const ATTEMPTS = 4
const EPHEMERAL = { mode: CreateMode.EPHEMERAL }

/** The wall clock of the machine's worker moves, its monotonic one does not. */
async function moveWallClock({ page }: Member, byMs: number): Promise<number> {
  const at = Date.now()
  const [worker] = page.workers()
  if (worker === undefined) throw new Error('no worker')
  await worker.evaluate((by) => {
    const now = Date.now.bind(Date)
    Date.now = () => now() + by
  }, byMs)
  return at
}

function expectNobodyExpired(members: readonly Member[]): void {
  for (const { traces } of members) {
    expect(traces.filter(({ type }) => type === 'session-expired')).toEqual([])
  }
}

test('a wall clock that moved on far: the member starts anew, and nobody expires', async ({
  ensemble,
}) => {
  const room = await ensemble(3)
  const { leader } = room
  const [follower] = room.followers
  if (follower === undefined) throw new Error('two followers')
  const client = await room.client(leader, { sessionTimeoutMs: SHORT_SESSION_MS })
  await client.create('/of-the-leader', null, EPHEMERAL)
  const { id } = await client.session()
  const elsewhere = await room.client(follower, { sessionTimeoutMs: SHORT_SESSION_MS })
  await elsewhere.create('/of-the-follower', null, EPHEMERAL)

  const movedAt = await moveWallClock(leader, HOUR_MS)
  const slept = await leader.untilTrace('slept', movedAt)
  expect(slept.elapsedMs).toBeGreaterThanOrEqual(HOUR_MS)
  const left = await leader.untilTrace('role', movedAt)
  expect(left).toMatchObject({ role: 'looking', reason: `slept for ${slept.elapsedMs} ms` })
  await expectHeard(client, 'CONNECTED')
  expect(await client.heard()).not.toContain('CLOSED')
  expect((await client.session()).id).toBe(id)

  // Backwards it says nothing of how long anybody slept.
  const back = room.member(await room.waitForLeader())
  // It loses its place if the only one that follows it so far goes.
  await room.waitForWhole()
  const rolesOf = ({ traces }: Member): number =>
    traces.filter(({ type }) => type === 'role').length
  const before = rolesOf(back)
  await moveWallClock(back, -2 * HOUR_MS)
  // Traces bear their machine's own time: one that went back has none since now.
  const other = room.members.find((member) => member !== leader && member !== back)
  if (other === undefined) throw new Error('another one')
  const moved = await moveWallClock(other, HOUR_MS)
  await other.untilTrace('slept', moved)
  await other.untilTrace('established', moved)
  await lasting(SHORT_SESSION_MS)
  expect(rolesOf(back)).toBe(before)
  expectNobodyExpired(room.members)
  await latest(client, '/of-the-leader')
  await latest(elsewhere, '/of-the-follower')
})

test('a closed lid: deposed meanwhile, on waking no stale word and no session lost', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(120_000)
  const link = site.room()
  const [awake, sleepy] = [await newBrowser(), await newBrowser()]
  const others = [await openMachine(awake, link), await openMachine(awake, link)] as const
  const sleeper = await openMachine(sleepy, link)
  const machines = [...others, sleeper]
  for (const machine of machines) await machine.expectWhole()
  const client = await TabClient.open(sleeper.member, { sessionTimeoutMs: PATIENT_MS })
  await put(client, '/x', 'old')
  // Alone on that computer: its leader is what all of its sessions depend on.
  const alone = await openMachine(sleepy, site.room('&size=1'))
  await alone.member.until(() => alone.member.isLeading)
  const kept = await TabClient.open(alone.member, { sessionTimeoutMs: SHORT_SESSION_MS })
  await kept.create('/kept', null, EPHEMERAL)
  const { id } = await kept.session()
  for (let i = 0; i < ATTEMPTS && !sleeper.member.isLeading; i++) {
    await leaderOf(others).page.reload()
    for (const machine of machines) await machine.expectWhole()
  }
  expect(sleeper.member.isLeading).toBe(true)
  // Connected again after the elections.
  await latest(client, '/x')
  const before = (await client.heard()).length

  const sleptAt = Date.now()
  await sleepy.sleep()
  try {
    for (const { member } of others) await member.untilTrace('established', sleptAt)
    const writer = await TabClient.open(others[0].member, { sessionTimeoutMs: PATIENT_MS })
    await insist(() => writer.setData('/x', 'new'))
    const asked = Promise.all([client.ask('/x'), kept.ask('/kept')])
    await lasting(Math.max(0, sleptAt + SLEEP_MS - Date.now()))
    await sleepy.wake()
    await asked
  } finally {
    await sleepy.wake()
  }
  await expectHeard(client, 'CONNECTING', before)
  await sleeper.member.untilTrace('established', sleptAt)
  for (const machine of machines) await machine.expectWhole()
  await expectHeard(client, 'CONNECTED', before)
  expect(await latest(client, '/x')).toBe('new')
  expect((await client.heard()).slice(before)).not.toContain('read old')

  await expectHeard(kept, 'CONNECTED')
  expect((await kept.heard())[0]).toMatch(/^(failed|CONNECTING)/)
  expect((await kept.session()).id).toBe(id)
  await latest(kept, '/kept')
  expectNobodyExpired([alone.member])
})
