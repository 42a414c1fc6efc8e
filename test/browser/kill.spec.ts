// Three browser processes on profiles of their own; their processes are killed without warning
// while clients in all of them write. What was acknowledged must be on every member in the end.
import { expect } from '../../src/playwright/expectations.ts'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import { test } from '../../src/playwright/fixtures.ts'
import type { Member } from '../../src/playwright/member.ts'
import { inKit } from '../../src/playwright/page-call.ts'
import { PATIENTLY } from './machine-page.ts'

const KILLS = 20
const LIMIT_MS = 12 * 60_000

/** Writes in flight per client. */
const LANES = 4
/** Between two writes of one lane, so that every kill finds some writes at every stage. */
const BUSY_MS = 40
/** While a browser starts: that is no stage of anything, and takes both cores. */
const CALM_MS = 800
/** Fewer writes than a leader keeps for DIFF (500) while a browser starts; and more than that. */
const FEW_MS = 600
const BURST = 800
/** Far less than a leader takes to notice that it is alone; together, more than the kills take. */
const STEADY_MS = 20
const STEADY = 300

declare global {
  interface Window {
    pauseMs?: number
  }
}

/** Clients that write in every page. What they ask and are told, the kit writes down. */
class Writers {
  readonly #room: Ensemble
  #started = 0

  constructor(room: Ensemble) {
    this.#room = room
  }

  /** Until its page ends. */
  async start(member: Member, pauseMs: number): Promise<void> {
    await member.untilServing()
    await inKit(
      member.page,
      async (kit, { prefix, lanes, ms }) => {
        window.pauseMs = ms
        const client = await kit.room?.openClient()
        let next = 0
        const write = async (): Promise<void> => {
          for (;;) {
            const path = `/${prefix}-${next++}`
            // Unknown or refused: not acknowledged, so it may be there or not.
            await client?.create(path, path).catch(() => undefined)
            await new Promise((resolve) => setTimeout(resolve, window.pauseMs))
          }
        }
        for (let i = 0; i < lanes; i++) void write()
      },
      { prefix: `p${++this.#started}`, lanes: LANES, ms: pauseMs },
    )
  }

  /** Between two writes of each lane, in all pages that live. */
  async setPause(ms: number): Promise<void> {
    const set = ({ page }: Member): Promise<unknown> =>
      page.evaluate((pauseMs) => Object.assign(window, { pauseMs }).pauseMs, ms)
    await Promise.all(this.#room.alive.map(set))
  }

  async grow(by: number): Promise<void> {
    const before = this.#room.answers
    await expect
      .poll(() => this.#room.answers - before, { ...PATIENTLY, message: 'writes go on' })
      .toBeGreaterThan(by)
  }
}

/** Writers end with their pages; then every member must have all that was acknowledged. */
async function expectNothingLost(room: Ensemble): Promise<void> {
  for (const member of room.members) await room.reload(member)
  await room.waitForWhole()
  // What is read on each of them is judged like everything else.
  for (const member of room.members) {
    await using client = await room.client(member)
    await client.sync('/')
    await client.getChildren('/')
  }
  expect(room.answers).toBeGreaterThan(500)
  await expect(room).allPromises()
}

test('killed twenty times while clients write: nothing acknowledged is lost', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3, { browsers: 'each' })
  const writers = new Writers(room)
  for (const member of room.members) await writers.start(member, CALM_MS)
  for (let round = 0; round < KILLS; round++) {
    // Leader and followers in turn: each way of dying has its own dangers.
    const leader = room.members.find(({ isLeading }) => isLeading) ?? room.members[0]
    const victims = room.members.filter((member) => (member === leader) === (round % 2 === 0))
    const victim = victims[round % victims.length]
    if (victim === undefined) throw new Error('a victim')
    await writers.setPause(BUSY_MS)
    await writers.grow(20)
    await room.kill(victim)
    await writers.grow(20)
    await writers.setPause(CALM_MS)
    await room.restart(victim)
    await writers.start(victim, BUSY_MS)
  }
  await expectNothingLost(room)
})

test('DIFF, TRUNC and SNAP each run in real tabs', async ({ ensemble }) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3, { browsers: 'each' })
  const writers = new Writers(room)
  for (const member of room.members) await writers.start(member, FEW_MS)
  /** By which modes it came back to what the others have. */
  const restart = async (member: Member): Promise<string[]> => {
    const killed = Date.now()
    await room.restart(member)
    await writers.start(member, FEW_MS)
    await writers.grow(5)
    const syncs = member.tracesSince(killed, 'sync')
    return syncs.filter(({ direction }) => direction === 'in').map(({ mode }) => mode)
  }

  // A few writes missed: DIFF. More than the leader keeps in memory (500), and than a third of a
  // snapshot: SNAP.
  for (const [missed, mode] of [
    [10, 'DIFF'],
    [BURST, 'SNAP'],
  ] as const) {
    const leader = room.member(await room.waitForLeader())
    const follower = room.members.find((member) => member !== leader)
    if (follower === undefined) throw new Error('a follower')
    await room.kill(follower)
    if (missed === BURST) await burst(leader)
    await writers.grow(10)
    expect(await restart(follower)).toContain(mode)
  }

  // A leader left alone logs what it proposed and cannot commit; the others go on without it:
  // TRUNC.
  const alone = room.member(await room.waitForLeader())
  const others = room.members.filter((member) => member !== alone)
  await proposeSteadily(alone)
  await Promise.all(others.map((member) => room.kill(member)))
  await alone.until(() => alone.status?.member?.serving === false)
  await room.kill(alone)
  for (const member of others) await room.restart(member)
  for (const member of others) await writers.start(member, FEW_MS)
  await writers.grow(5)
  expect(await restart(alone)).toContain('TRUNC')
  await expectNothingLost(room)
})

/**
 * Writes that do not wait for each other: what the writers have in flight when the others die may
 * all be on a disk of theirs, and then there is nothing to truncate.
 */
async function proposeSteadily(member: Member): Promise<void> {
  await inKit(
    member.page,
    async (kit, { count, ms }) => {
      const client = await kit.room?.openClient()
      let next = 0
      const timer = setInterval(() => {
        client?.create(`/steady-${next++}`).catch(() => undefined)
        if (next === count) clearInterval(timer)
      }, ms)
    },
    { count: STEADY, ms: STEADY_MS },
  )
}

/**
 * Many writes at once, of a client that then goes. Two members are left: on two busy cores they may
 * lose each other for a moment, and the writes their answers.
 */
async function burst(member: Member): Promise<void> {
  await inKit(
    member.page,
    async (kit, many) => {
      const client = await kit.room?.openClient()
      const make = async (name: string): Promise<void> => {
        await client?.connected()
        await client?.create(name).catch(async (error: Error) => {
          if (error.name === 'NodeExists') return
          if (error.name !== 'ConnectionLoss') throw error
          await make(name)
        })
      }
      await Promise.all(Array.from({ length: many }, (_, i) => make(`/burst-${i}`)))
      await client?.close()
    },
    BURST,
  )
}
