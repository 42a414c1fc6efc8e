// Machines that sleep: the whole process, as under a closed lid, and clocks that disagree about it.
import { expect } from 'playwright/test'
import type { MachinePage } from './machine-page.ts'
import { leaderOf, openThree, test } from './room-fixture.ts'
import { firstTrace, lasting, type Trace, tracesOf, Witness } from './tab-faults.ts'

/** Two ticks: the shortest session there is. */
const SHORT_SESSION_MS = 4_000
/** Longer than such a session, shorter than the patience of the other ones. */
const SLEEP_MS = 7_000
const PATIENT_MS = 40_000
const HOUR_MS = 3_600_000
const ATTEMPTS = 4

/** The wall clock of the machine's worker moves, its monotonic one does not. */
async function moveWallClock({ page }: MachinePage, byMs: number): Promise<number> {
  const at = Date.now()
  const [worker] = page.workers()
  if (worker === undefined) throw new Error('no worker')
  await worker.evaluate((by) => {
    const now = Date.now.bind(Date)
    Date.now = () => now() + by
  }, byMs)
  return at
}

function oneBut(machines: readonly MachinePage[], ...others: readonly MachinePage[]): MachinePage {
  const found = machines.find((machine) => !others.includes(machine))
  if (found === undefined) throw new Error('no other machine')
  return found
}

function rolesOf(traces: readonly Trace[]): readonly Trace[] {
  return traces.filter(({ type }) => type === 'role')
}

async function expectNobodyExpired(machines: readonly MachinePage[]): Promise<void> {
  for (const machine of machines) {
    const expired = (await tracesOf(machine)).filter(({ type }) => type === 'session-expired')
    expect(expired).toEqual([])
  }
}

test('a wall clock that moved on far: the member starts anew, and nobody expires', async ({
  site,
  newBrowser,
}) => {
  const machines = await openThree(await newBrowser(), site.room())
  const leader = await leaderOf(machines)
  const follower = oneBut(machines, leader)
  const witness = await Witness.open(leader, SHORT_SESSION_MS)
  await witness.createEphemeral('/of-the-leader')
  const session = await witness.sessionId()
  const elsewhere = await Witness.open(follower, SHORT_SESSION_MS)
  await elsewhere.createEphemeral('/of-the-follower')

  const movedAt = await moveWallClock(leader, HOUR_MS)
  const slept = await firstTrace(leader, 'slept', movedAt)
  expect(slept.elapsedMs).toBeGreaterThanOrEqual(HOUR_MS)
  const left = await firstTrace(leader, 'role', movedAt)
  expect(left).toMatchObject({ role: 'looking', reason: `slept for ${slept.elapsedMs} ms` })
  await witness.expectHeard('CONNECTED', 1)
  expect(await witness.heard).toEqual(['CONNECTED', 'CONNECTING', 'CONNECTED'])
  expect(await witness.sessionId()).toBe(session)

  // Backwards it says nothing of how long anybody slept.
  const back = await leaderOf(machines)
  const before = rolesOf(await tracesOf(back)).length
  await moveWallClock(back, -2 * HOUR_MS)
  // Traces bear their machine's own time: one that went back has none since now.
  const other = oneBut(machines, leader, back)
  const moved = await moveWallClock(other, HOUR_MS)
  await firstTrace(other, 'slept', moved)
  await firstTrace(other, 'established', moved)
  await lasting(SHORT_SESSION_MS)
  expect(rolesOf(await tracesOf(back)).slice(before)).toEqual([])
  await expectNobodyExpired(machines)
  await witness.read('/of-the-leader')
  await elsewhere.read('/of-the-follower')
})

test('a closed lid: deposed meanwhile, on waking no stale word and no session lost', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(120_000)
  const link = site.room()
  const [awake, sleepy] = [await newBrowser(), await newBrowser()]
  const others = [await awake.open(link), await awake.open(link)]
  const sleeper = await sleepy.open(link)
  const machines = [...others, sleeper]
  for (const machine of machines) await machine.expectWhole()
  const witness = await Witness.open(sleeper, PATIENT_MS)
  await witness.write('/x', 'old')
  // Alone on that computer: its leader is what all of its sessions depend on.
  const alone = await sleepy.open(site.room('&size=1'))
  const kept = await Witness.open(alone, SHORT_SESSION_MS)
  await kept.createEphemeral('/kept')
  const session = await kept.sessionId()
  for (let i = 0; i < ATTEMPTS && !(await sleeper.isLeading()); i++) {
    await (await leaderOf(others)).page.reload()
    for (const machine of machines) await machine.expectWhole()
  }
  expect(await sleeper.isLeading()).toBe(true)
  const before = (await witness.heard).length

  const sleptAt = Date.now()
  await sleepy.sleep()
  try {
    for (const machine of others) await firstTrace(machine, 'established', sleptAt)
    const writer = await Witness.open(others[0] ?? sleeper, PATIENT_MS)
    await writer.write('/x', 'new')
    const asked = Promise.all([witness.ask('/x'), kept.ask('/kept')])
    await lasting(Math.max(0, sleptAt + SLEEP_MS - Date.now()))
    await sleepy.wake()
    await asked
  } finally {
    await sleepy.wake()
  }
  await witness.expectHeard('CONNECTING', before)
  await firstTrace(sleeper, 'established', sleptAt)
  expect(await witness.read('/x')).toBe('new')
  expect((await witness.heard).slice(before)).not.toContain('read old')

  await kept.expectHeard('CONNECTED', 1)
  expect((await kept.heard)[1]).toMatch(/^(failed|CONNECTING)/)
  expect(await kept.sessionId()).toBe(session)
  await kept.read('/kept')
  await expectNobodyExpired([alone])
})
