// Three browsers, one of them a Firefox, in three networks of their own, and the links between them
// really cut: one machine apart from the two others, one that is heard and does not hear, two of
// three that never meet, a network that loses packets, and a machine that gets another address.
// Whoever has a majority goes on, who has none says so and refuses.
import { expect } from 'playwright/test'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import type { BrowserOptions } from '../../src/playwright/browser-process.ts'
import { inNetwork, test } from './firefox-fixture.ts'
import { leaderOf, openMachine, PATIENCE_MS, PATIENTLY, type MachinePage } from './machine-page.ts'
import { NetworkLab } from './network-lab.ts'
import { expectRolesKept, lasting } from './tab-words.ts'

const LIMIT_MS = 480_000
/** Longer than the silence after which a link counts as dead, several times. */
const CUT_MS = 2_500
/** Of one cut, until there is a leader that stays; elections without an end make dozens. */
const EPOCHS_MAX = 6
const LOSS_PERCENT = 15
const WRITE_PAUSE_MS = 50

interface Ledger {
  acknowledged: string[]
  /** Names of the errors that writes ended with. */
  errors: string[]
  client: ZooKeeperClient
  stop: boolean
}

/** Longer than two busy cores take to find a machine that has another address. */
const SESSION_MS = 40_000

declare global {
  interface Window {
    ledger?: Ledger
  }
}

/** Writes without an end; an expired session is followed by another one. */
async function startWriter({ page }: MachinePage, name: string): Promise<void> {
  await page.evaluate(
    ([prefix, pauseMs, sessionMs]) => {
      const { newClient } = window.zabra ?? {}
      if (newClient === undefined) throw new Error('no machine')
      const ledger: Ledger = {
        acknowledged: [],
        errors: [],
        client: newClient(sessionMs),
        stop: false,
      }
      window.ledger = ledger
      const write = async (): Promise<void> => {
        for (let i = 0; !ledger.stop; i++) {
          const node = `${prefix}-${i}`
          try {
            await ledger.client.create(`/${node}`, node)
            ledger.acknowledged.push(node)
          } catch (error) {
            const { name: what } = error as Error
            ledger.errors.push(what)
            if (what === 'SessionExpired') ledger.client = newClient(sessionMs)
          }
          await new Promise((resolve) => setTimeout(resolve, pauseMs))
        }
      }
      void write()
    },
    [name, WRITE_PAUSE_MS, SESSION_MS] as const,
  )
}

async function ledgerOf({ page }: MachinePage): Promise<Pick<Ledger, 'acknowledged' | 'errors'>> {
  return page.evaluate(() => {
    const { acknowledged = [], errors = [] } = window.ledger ?? {}
    return { acknowledged, errors }
  })
}

/** New acknowledgements, as a person at this machine gets them. */
async function expectProgress(machine: MachinePage, writes = 5): Promise<void> {
  const { acknowledged: before } = await ledgerOf(machine)
  await expect
    .poll(async () => (await ledgerOf(machine)).acknowledged.length - before.length, {
      ...PATIENTLY,
      message: 'writes go on',
    })
    .toBeGreaterThan(writes)
}

function epochOf(machines: readonly MachinePage[]): number {
  return Math.max(...machines.map(({ state }) => Number(state?.member?.epoch ?? 0)))
}

async function expectWhole(machines: readonly MachinePage[]): Promise<void> {
  for (const machine of machines) await machine.expectWhole(2 * PATIENCE_MS)
  await Promise.all(machines.map((machine) => expectProgress(machine)))
}

/** The machines, by their numbers in the lab. */
class Cast {
  readonly lab: NetworkLab
  readonly machines: readonly MachinePage[]

  constructor(lab: NetworkLab, machines: readonly MachinePage[]) {
    this.lab = lab
    this.machines = machines
  }

  roles(): { leader: number; one: number; other: number } {
    const leader = this.machines.indexOf(leaderOf(this.machines))
    const [one = 0, other = 0] = [0, 1, 2].filter((index) => index !== leader)
    return { leader, one, other }
  }

  at(index: number): MachinePage {
    const machine = this.machines[index]
    if (machine === undefined) throw new Error(`no machine ${index}`)
    return machine
  }
}

/** The leader alone: it refuses, with an error that says what; the two others go on. */
async function cutBothWays(cast: Cast): Promise<void> {
  const { leader, one, other } = cast.roles()
  const alone = cast.at(leader)
  const { errors: before } = await ledgerOf(alone)
  await cast.lab.isolate(leader)
  await alone.expectStatus(/cannot commit: need 2 of 3/)
  for (const index of [one, other]) {
    await cast.at(index).expectStatus(/leads.*away/)
    await expectProgress(cast.at(index))
  }
  // Every call ends, with ConnectionLoss as ZooKeeper's own clients have it.
  await expect
    .poll(async () => (await ledgerOf(alone)).errors.length - before.length, PATIENTLY)
    .toBeGreaterThan(0)
  const { acknowledged } = await ledgerOf(alone)
  await lasting(CUT_MS)
  const later = await ledgerOf(alone)
  expect(later.acknowledged).toEqual(acknowledged)
  const names = new Set(later.errors.slice(before.length))
  expect([...names].filter((name) => !/^(ConnectionLoss|SessionExpired)/.test(name))).toEqual([])
  await cast.lab.heal()
  await expectWhole(cast.machines)
}

/** Heard and deaf, or the other way: no link is half alive, and elections come to an end. */
async function cutOneWay(cast: Cast): Promise<void> {
  const { leader, one, other } = cast.roles()
  for (const [from, to] of [
    [one, leader],
    [leader, one],
  ] as const) {
    const epoch = epochOf(cast.machines)
    const since = Date.now()
    await cast.lab.cutOneWay(from, to)
    await cast.at(to).member.untilTrace('link', since, ({ up }) => !up)
    // It may follow nobody, or all may choose one that both of them hear.
    await expectProgress(cast.at(other), 20)
    await lasting(CUT_MS)
    await expectProgress(cast.at(other), 20)
    expect(epochOf(cast.machines) - epoch).toBeLessThan(EPOCHS_MAX)
    await cast.lab.heal()
    await expectWhole(cast.machines)
  }
}

/** The leader and one follower never meet; both meet the third. */
async function cutOnePair(cast: Cast): Promise<void> {
  const { leader, one, other } = cast.roles()
  const epoch = epochOf(cast.machines)
  const since = Date.now()
  await cast.lab.cut(leader, one)
  for (const index of [leader, one]) {
    await cast.at(index).member.untilTrace('link', since, ({ up }) => !up)
  }
  await expectProgress(cast.at(other), 20)
  await lasting(CUT_MS)
  const settled = Date.now()
  await lasting(CUT_MS)
  await expectProgress(cast.at(other), 20)
  const members = cast.machines.map(({ member }) => member)
  expectRolesKept([cast.at(other).member], settled, members)
  expect(epochOf(cast.machines) - epoch).toBeLessThan(EPOCHS_MAX)
  await cast.lab.heal()
  await expectWhole(cast.machines)
}

async function losePackets(cast: Cast): Promise<void> {
  const how = await cast.lab.lose(cast.roles().leader, LOSS_PERCENT)
  test.info().annotations.push({ type: 'packet loss by', description: how })
  for (let i = 0; i < 2; i++) {
    await Promise.all(cast.machines.map((machine) => expectProgress(machine, 10)))
    await lasting(CUT_MS)
  }
  await cast.lab.heal()
  await expectWhole(cast.machines)
}

/** From one network into another: no packet of the old path arrives any more. */
async function changeAddress(cast: Cast): Promise<void> {
  const { one } = cast.roles()
  const moved = cast.at(one)
  const sessionOf = (): Promise<string> =>
    moved.page.evaluate(() => String(window.ledger?.client.sessionId))
  const session = await sessionOf()
  const since = Date.now()
  await cast.lab.move(one)
  await moved.member.untilTrace('link', since, ({ up }) => !up)
  // Its socket to the broker is dead as well, which it hears of after 23 s at the latest.
  await moved.member.until(() => moved.member.tracesSince(since, 'link').some(({ up }) => up), {
    timeoutMs: 2 * PATIENCE_MS,
    what: 'a link from the new address',
  })
  await expectWhole(cast.machines)
  expect(await sessionOf()).toBe(session)
}

async function expectNothingLost(machines: readonly MachinePage[]): Promise<void> {
  const acknowledged: string[] = []
  for (const machine of machines) {
    await machine.page.evaluate(() => Object.assign(window.ledger ?? {}, { stop: true }))
    acknowledged.push(...(await ledgerOf(machine)).acknowledged)
  }
  expect(acknowledged.length).toBeGreaterThan(300)
  for (const { page } of machines) {
    const names = await page.evaluate(async () => {
      const client = window.zabra?.newClient()
      await client?.sync('/')
      return (await client?.getChildren('/')) ?? []
    })
    const held = new Set(names)
    expect(acknowledged.filter((name) => !held.has(name))).toEqual([])
  }
  const digests = (): number => {
    const shown = machines.map(({ state }) =>
      [state?.member?.zxid, state?.member?.treeDigest].join(),
    )
    return new Set(shown).size
  }
  await expect.poll(digests, { ...PATIENTLY, message: 'equal trees' }).toBe(1)
}

test('links really cut: a majority goes on, a minority refuses, nothing is lost', async ({
  newBrowser,
  firefox,
}) => {
  test.setTimeout(LIMIT_MS)
  // Where there can be none it fails: nobody shall think that it ran.
  await using lab = await NetworkLab.start(3)
  const { origin } = lab
  const link = `${origin}/machine.html?room=cut#a-secret-that-nobody-guesses`
  const flags = [`--unsafely-treat-insecure-origin-as-secure=${origin}`]
  const chromium = async (index: number): Promise<BrowserOptions> => {
    return { flags, executablePath: await lab.browserOf(index) }
  }
  const fox = inNetwork(firefox, lab.insideOf(2), new URL(origin).hostname)
  const kinds = [await chromium(0), await chromium(1), fox]
  const machines = await Promise.all(
    kinds.map(async (kind) => openMachine(await newBrowser(kind), link)),
  )
  for (const machine of machines) await machine.expectWhole()
  for (const [i, machine] of machines.entries()) await startWriter(machine, `by-${i}`)
  const cast = new Cast(lab, machines)
  await test.step('both ways', () => cutBothWays(cast))
  await test.step('one way', () => cutOneWay(cast))
  await test.step('one pair', () => cutOnePair(cast))
  await test.step('packets lost', () => losePackets(cast))
  await test.step('another address', () => changeAddress(cast))
  await expectNothingLost(machines)
})
