// The kit itself: each of its words on tabs of a page that does nothing but join; that it finds a
// server which lies, and says so; and that a room after all of them has kept every promise.
import { readFile } from 'node:fs/promises'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { expect, judge, linearizable } from '../../src/playwright/expectations.ts'
import { attachHistory } from '../../src/playwright/attachments.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { ROOM_TIME_MS } from '../../src/playwright/page-line.ts'
import { failAndReload } from './disk-faults.ts'
import { memberWorkerWith } from './planted-worker.ts'
import { insist, put } from './tab-words.ts'

/** A bound on hanging, on two busy cores. */
const LIMIT_MS = 240_000

/** As the kit is without any wish: its own page, and members that can be hurt. */
test.use({ zabra: {} })

test('cut, slowed down, frozen, killed, torn: members come back, and no promise is broken', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3)
  expect(room.members.map(({ number }) => number)).toEqual([1, 2, 3])
  const { leader } = room
  const [one, other] = room.followers
  if (one === undefined || other === undefined) throw new Error('two followers')
  const client = await room.client(one)
  const watcher = await room.client(other, { sessionTimeoutMs: 30_000 })
  await client.create('/x', 'first')
  await watcher.sync('/x')
  expect(await watcher.getData('/x', { watch: true })).toBe('first')

  await test.step('a leader that is cut off is one no more', async () => {
    await room.isolate(leader)
    await leader.until(() => leader.status?.member?.serving === false)
    const next = await room.waitForLeader()
    expect(next).not.toBe(leader.number)
    await expect.poll(() => client.heard()).toContain('CONNECTED')
    await insist(() => client.setData('/x', 'without the first leader'))
    await room.heal()
    await room.waitForQuiet()
    expect(leader.role).toBe('following')
  })

  await test.step('slow links', async () => {
    await room.delay([20, 60])
    const writer = await room.client(room.member(await room.waitForLeader()))
    const begun = performance.now()
    await insist(() => writer.setData('/x', 'slow'))
    expect(performance.now() - begun).toBeGreaterThan(40)
    await room.heal()
  })

  await test.step('one that hears nobody says so, until it hears again', async () => {
    for (const member of room.members) if (member !== other) await room.oneWay(member, other)
    await other.until(() => other.status?.member?.serving === false)
    await room.heal()
    await room.waitForWhole()
  })

  await test.step('frozen and thawed', async () => {
    const still = room.member(await room.waitForLeader())
    await room.freeze(still)
    // What it is told meanwhile holds in the order in which it was told, whatever runs first then.
    await room.isolate(still)
    await room.heal()
    await room.waitForLeader()
    await room.thaw(still)
    await still.until(() => still.role === 'following')
    await room.waitForQuiet()
  })

  await test.step('a disk that is full, torn or held, a session that ended', async () => {
    const full = room.members.find((member) => ![one, other].includes(member)) ?? leader
    await room.failStorage(full, 'quota')
    await client.setData('/x', 'more').catch(() => undefined)
    await full.until(() => full.status?.phase === 'failed', { what: 'it says that it failed' })
    await room.reload(full)
    await room.waitForWhole()
    await room.failStorage(full, 'torn')
    await room.restart(full)
    await room.waitForQuiet()
    await room.failStorage(full, 'blocked')
    const back = room.restart(full)
    await expect.poll(() => full.line.state).toMatch(/storage did not open.*close other tabs/)
    await room.healStorage(full)
    await Promise.all([back, room.reload(full)])
    await room.waitForQuiet()
    expect(full.isVoter).toBe(true)
    const gone = await room.client(full)
    await gone.create('/gone', null, { mode: CreateMode.EPHEMERAL })
    await room.expireSession(gone)
    // Its own machine may hear of it last.
    await expect.poll(() => gone.heard()).toContain('CLOSED')
    await expect(gone.exists('/gone')).rejects.toMatchObject({ code: ErrorCode.SESSIONEXPIRED })
  })

  await room.forceLeader(1)
  expect(room.leader.number).toBe(1)
  expect(await watcher.heard()).toContain('NodeDataChanged /x')
  const { operations, violations } = await judge(room)
  expect(violations).toEqual([])
  expect(operations).toBeGreaterThan(8)
  for (const judged of ['oneLeader', 'noLostWrites', 'linearizable', 'watchesInOrder'] as const) {
    await expect(room)[judged]()
  }
})

/** Of a follower that has a part in it, so that the write waits for a disk. */
const SLOW_MS = 300
const WRITES = 5

test('lost, doubled and swapped messages; slow, hanging, closed and wiped disks', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3, { seed: 'seven' })
  const { leader } = room
  const [one, other] = room.followers
  if (one === undefined || other === undefined) throw new Error('two followers')
  const client = await room.client(leader, { sessionTimeoutMs: 30_000 })
  await put(client, '/x', 'first')

  await test.step('a lost message ends its link, and there is another one', async () => {
    const since = Date.now()
    await room.drop(1, [leader, other])
    await other.untilTrace('link', since, ({ peer, up }) => peer === leader.number && !up)
    await insist(() => client.setData('/x', 'without the other one'))
    await room.heal()
    await room.waitForWhole()
  })

  await test.step('what no channel does is noticed, and harms nothing', async () => {
    // Of a follower too: it passes the leader what it is asked.
    const { followers } = room
    for (const [fault, member] of [
      ['duplicate', leader],
      ['reorder', followers[0]],
      ['duplicate', followers[1]],
      ['reorder', leader],
    ] as const) {
      if (member === undefined) throw new Error('two followers')
      const writer = await room.client(member)
      const since = Date.now()
      await room[fault](0.3)
      const isNoticed = (): boolean =>
        room.members.some((member) => member.tracesSince(since, 'link').some(({ up }) => !up))
      // Several at a time: where one message waits for its answer there is nothing to swap it with.
      const write = (): Promise<unknown> => writer.setData('/x', fault).catch(() => undefined)
      const message = `${fault} is noticed`
      const isSeen = async (): Promise<boolean> => {
        await Promise.all(Array.from({ length: WRITES }, write))
        return isNoticed()
      }
      await expect.poll(isSeen, { message, timeout: 30_000, intervals: [0] }).toBe(true)
      await room.heal()
      // What was held back to be overtaken leaves behind the next message.
      await isSeen()
      await room.waitForWhole()
    }
  })

  await test.step('slow disks', async () => {
    for (const member of room.members) await room.failStorage(member, 'slow', { slowMs: SLOW_MS })
    const begun = performance.now()
    await insist(() => client.setData('/x', 'slow'))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(SLOW_MS - 1)
    for (const member of room.members) await room.healStorage(member)
    await room.waitForWhole()
  })

  await test.step('disks that hang, close and are wiped', async () => {
    const writer = await room.client(room.member(await room.waitForLeader()))
    const victims = room.followers
    for (const fault of ['hangs', 'closed', 'wiped'] as const) {
      const victim = victims[fault === 'closed' ? 1 : 0]
      if (victim === undefined) throw new Error('a follower')
      await failAndReload(room, victim, fault, writer)
    }
  })
  await expect(room).allPromises()
})

test('five tabs cut in two: three go on, the leader and one more refuse', async ({ ensemble }) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(5)
  const { leader } = room
  const [companion, ...three] = room.followers
  const [one] = three
  if (companion === undefined || one === undefined) throw new Error('four followers')
  const client = await room.client(leader, { sessionTimeoutMs: 30_000 })
  await put(client, '/x', 'whole')
  await room.partition([leader, companion], three)
  for (const member of [leader, companion]) {
    await member.until(() => member.status?.member?.serving === false)
  }
  const refused = { code: ErrorCode.CONNECTIONLOSS }
  await expect(client.setData('/x', 'by two')).rejects.toMatchObject(refused)
  await room.waitForLeader()
  await (await room.client(one)).setData('/x', 'by three')
  await room.heal()
  await room.waitForWhole()
  await expect.poll(() => client.heard()).toContain('CONNECTED')
  await client.sync('/x')
  expect(await client.getData('/x')).toBe('by three')
  await expect(room).allPromises()
})

test('a server that answers from a cache is found out, and the history is attached', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const worker = await memberWorkerWith({
    file: 'src/core/server/read-request.ts',
    from: 'const answer = read.getData(tree, path, ids)',
    to: `const cache = (globalThis.cached ??= new Map())
      const answer = cache.get(path) ?? read.getData(tree, path, ids)
      cache.set(path, answer)`,
  })
  const room = await ensemble(1, { browser: { worker } })
  // Its own limit is no shorter than a wait of the room, which would never say what is missing.
  expect(test.info().timeout).toBe(LIMIT_MS + ROOM_TIME_MS)
  const client = await room.client(1)
  await client.create('/x', 'old')
  expect(await client.getData('/x')).toBe('old')
  await client.setData('/x', 'new')
  expect(await client.getData('/x')).toBe('old')
  await expect(linearizable(room)).rejects.toThrow(/does not keep linearizable, \d+ violation/)

  // As the fixture does when a test fails, with more patience.
  const info = test.info()
  const before = info.attachments.length
  await attachHistory(room, info, LIMIT_MS / 4)
  const attached = info.attachments.slice(before)
  const read = async (wanted: string): Promise<string> =>
    readFile(attached.find(({ name }) => name === wanted)?.path ?? '', 'utf8')
  expect(await read('history.html')).toContain('ReadsShowTheLog')
  expect(await read('machines.txt')).toContain('machine 1 has begun epoch 1 of machine 1')
})

test.describe('what Playwright is told of pages', () => {
  test.use({ colorScheme: 'dark', viewport: { width: 400, height: 800 }, locale: 'de-DE' })

  test('holds for those of the kit too, also where the browser ran already', async ({
    newBrowser,
    warmBrowser,
  }) => {
    const browser = await newBrowser()
    expect(browser).toBe(warmBrowser)
    const page = await browser.newPage()
    const seen = await page.evaluate(() => {
      const { matches } = matchMedia('(prefers-color-scheme: dark)')
      return [matches, innerWidth, navigator.language]
    })
    expect(seen).toEqual([true, 400, 'de-DE'])
  })
})
