// The loop of one running member over memory storage, on manual time.
import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import type { MemoryStorageOptions } from '../../src/adapters/memory/storage.ts'
import { toServerId } from '../../src/core/base/zxid.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { createRequestRecord } from '../../src/core/jute/proto-records.ts'
import { encodeFrames } from '../../src/core/zab/frame.ts'
import { encodePulse, PulseKind } from '../../src/core/zab/packets.ts'
import { Member } from '../../src/runtime/member.ts'
import { createRequest, type TestClient } from '../core/server/test-client.ts'
import {
  clientOver,
  configOf,
  foundDisk,
  ManualTime,
  type MemoryEnd,
  memoryPair,
  settle,
  WatchedStorage,
} from './bench.ts'

interface Running {
  readonly member: Member
  readonly storage: WatchedStorage
  readonly time: ManualTime
  readonly halts: string[]
  readonly cutLinks: string[]
}

async function run(
  options: Partial<MemoryStorageOptions> = {},
  size = 1,
  afterInputs?: (run: () => void) => void,
): Promise<Running> {
  const disk = foundDisk(new MemoryDisk())
  const storage = new WatchedStorage(disk, { token: 'life', ...options })
  const time = new ManualTime()
  const halts: string[] = []
  const cutLinks: string[] = []
  const member = new Member({
    config: configOf(1, size),
    storage,
    recovered: await storage.recover(),
    clock: time,
    every: time.every,
    ...(afterInputs === undefined ? {} : { afterInputs }),
    onCloseLink: (peer, reason) => cutLinks.push(`${peer}: ${reason}`),
    onHalt: (reason) => halts.push(reason),
  })
  await time.pass(100)
  return { member, storage, time, halts, cutLinks }
}

async function connected({ member }: Running): Promise<TestClient> {
  const client = clientOver((channel) => member.attachClient(channel, 'test'))
  client.connect()
  await settle()
  expect(client.session).not.toBe(0n)
  return client
}

function create(client: TestClient, path: string, data = ''): number {
  return client.send(OpCode.create, createRequestRecord, createRequest(path, data))
}

describe('a member alone', () => {
  test('serves a client, and what it acknowledged is on its disk', async () => {
    const running = await run()
    const client = await connected(running)
    const xid = create(client, '/a', 'x')
    await settle()
    expect(client.reply(xid).err).toBe(0)
    const { log } = await running.storage.recover()
    expect(log.at(-1)?.zxid).toBe(client.reply(xid).zxid)
  })

  test('writes many requests of one message at once, and answers in their order', async () => {
    const running = await run()
    const client = await connected(running)
    const before = running.storage.appends.length
    const frames = Array.from({ length: 50 }, (_, i) =>
      client.frame(OpCode.create, createRequestRecord, createRequest(`/n${i}`)),
    )
    client.rawFrames(frames)
    await settle()
    expect(running.storage.appends.slice(before)).toEqual([50])
    expect(client.replies.map(({ err }) => err)).toEqual(frames.map(() => 0))
    const xids = client.replies.map(({ xid }) => xid)
    expect(xids).toEqual(xids.toSorted((a, b) => a - b))
  })

  test('writes what several clients ask for at once, where it may wait for them', async () => {
    const due: (() => void)[] = []
    const running = await run({}, 1, (run) => void due.push(run))
    const settleAll = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await settle()
        for (const one of due.splice(0)) one()
      }
    }
    await settleAll()
    const clients = [1, 2, 3].map(() =>
      clientOver((channel) => running.member.attachClient(channel, 'test')),
    )
    for (const client of clients) client.connect()
    await settleAll()
    const before = running.storage.appends.length
    const xids = clients.map((client, i) => create(client, `/n${i}`))
    await settle()
    expect(running.storage.appends.length).toBe(before)
    await settleAll()
    expect(running.storage.appends.slice(before)).toEqual([3])
    expect(clients.map((client, i) => client.reply(xids[i] ?? 0).err)).toEqual([0, 0, 0])
  })

  test('acknowledges nothing before its disk is done', async () => {
    let open: () => void = () => {}
    let gate: Promise<void> = Promise.resolve()
    const running = await run({ beforeWrite: () => gate })
    const client = await connected(running)
    gate = new Promise((resolve) => (open = resolve))
    const xid = create(client, '/a')
    await settle()
    expect(client.hasReply(xid)).toBe(false)
    open()
    await settle()
    expect(client.reply(xid).err).toBe(0)
  })

  test('closes whoever comes after it stopped, and ticks no more', async () => {
    const { member, time } = await run()
    member.stop('enough')
    expect(time.timers).toBe(0)
    const [link] = memoryPair()
    member.attachLink(toServerId(2), link)
    expect(link.closedBecause).toBe('member stopped')
    const late = clientOver((channel) => member.attachClient(channel, 'test'))
    await settle()
    expect(late.closedBecause).toBe('server_shutdown')
  })
})

describe('a storage that fails', () => {
  test('halts the member: nothing is acknowledged, clients and links are closed', async () => {
    const running = await run({ quotaBytes: 3000 })
    const [here, there] = memoryPair()
    running.member.attachLink(toServerId(2), here)
    const client = await connected(running)
    const small = create(client, '/small')
    await settle()
    expect(client.reply(small).err).toBe(0)
    const big = create(client, '/big', 'x'.repeat(4000))
    const after = create(client, '/after')
    await settle()
    expect([client.hasReply(big), client.hasReply(after)]).toEqual([false, false])
    expect(client.closedBecause).not.toBeNull()
    expect(there.closedBecause).not.toBeNull()
    expect(running.halts).toHaveLength(1)
    expect(running.halts[0]).toContain('(quota)')
    expect(running.member.haltReason).toBe(running.halts[0])
    expect(running.time.timers).toBe(0)
  })

  test('that hangs stops the service before anybody could be told otherwise', async () => {
    let isHanging = false
    const beforeWrite = (): Promise<void> =>
      isHanging ? new Promise<void>(() => undefined) : Promise.resolve()
    const running = await run({ beforeWrite })
    const client = await connected(running)
    isHanging = true
    const xid = create(client, '/a')
    await running.time.pass(3000)
    expect(client.hasReply(xid)).toBe(false)
    expect(client.closedBecause).not.toBeNull()
    const status = running.member.status()
    expect([status.role, status.whyNotServing]).toEqual([
      'looking',
      'cannot commit: the storage hangs',
    ])
    expect(running.halts).toEqual([])
  })

  test('that is taken over by another holder ends this one', async () => {
    const disk = foundDisk(new MemoryDisk())
    const storage = new WatchedStorage(disk, { token: 'one' })
    const time = new ManualTime()
    const halts: string[] = []
    const member = new Member({
      config: configOf(1, 1),
      storage,
      recovered: await storage.recover(),
      clock: time,
      every: time.every,
      onHalt: (reason) => halts.push(reason),
    })
    await time.pass(100)
    const client = clientOver((channel) => member.attachClient(channel, 'test')).connect()
    await settle()
    disk.claim('two')
    create(client, '/a')
    await settle()
    expect(client.replies).toEqual([])
    expect(halts).toHaveLength(1)
    expect(halts[0]).toContain('(not-owner)')
  })
})

describe('links', () => {
  test('a newer one of the same peer takes the place of the older one', async () => {
    const { member } = await run({}, 3)
    const [old, oldFar] = memoryPair()
    const [young, youngFar] = memoryPair()
    const heard: number[] = []
    oldFar.onMessage = () => heard.push(1)
    youngFar.onMessage = () => heard.push(2)
    member.attachLink(toServerId(2), old)
    await settle()
    member.attachLink(toServerId(2), young)
    await settle()
    expect(old.closedBecause).toBe('replaced by a newer link')
    expect(young.closedBecause).toBeNull()
    youngFar.send(encodeFrames('pulse', 0, [encodePulse(PulseKind.PONG, -1)])[0]!)
    await settle()
    expect(heard[0]).toBe(1)
    expect(heard.at(-1)).toBe(2)
    expect(member.status().peers.find((peer) => peer.sid === 2)).toMatchObject({ up: true })
  })

  test('one that sends rubbish is cut, and its owner is told', async () => {
    const { member, cutLinks } = await run({}, 3)
    const [here, far] = memoryPair()
    member.attachLink(toServerId(2), here)
    far.send(new Uint8Array([255, 255, 255]))
    await settle()
    expect(here.closedBecause).not.toBeNull()
    expect(cutLinks).toHaveLength(1)
    expect(cutLinks[0]).toContain('2: ')
  })
})

describe('three members', () => {
  async function three(): Promise<{
    members: Member[]
    storages: WatchedStorage[]
    time: ManualTime
  }> {
    const time = new ManualTime()
    const members: Member[] = []
    const storages: WatchedStorage[] = []
    for (const sid of [1, 2, 3]) {
      const disk = foundDisk(new MemoryDisk())
      const storage = new WatchedStorage(disk, { token: `life ${sid}` })
      storages.push(storage)
      const recovered = await storage.recover()
      const config = configOf(sid, 3)
      members.push(new Member({ config, storage, recovered, clock: time, every: time.every }))
    }
    return { members, storages, time }
  }

  function join(members: readonly Member[], a: number, b: number): MemoryEnd[] {
    const [one, other] = memoryPair()
    members[a - 1]!.attachLink(toServerId(b), one)
    members[b - 1]!.attachLink(toServerId(a), other)
    return [one, other]
  }

  test('an old leader with an uncommitted write truncates and reads its disk again', async () => {
    const { members, storages, time } = await three()
    join(members, 1, 2)
    const ends = [...join(members, 1, 3), ...join(members, 2, 3)]
    await time.until('all serve', () => members.every((member) => member.status().serving))
    const [first, second, third] = members
    expect(third!.status().role).toBe('leading')
    const client = clientOver((channel) => third!.attachClient(channel, 'test')).connect()
    await settle()
    create(client, '/both')
    await settle()
    // The leader does not know yet that it is alone.
    for (const end of ends) end.isDead = true
    const lost = create(client, '/lost')
    await settle()
    expect(client.hasReply(lost)).toBe(false)
    await time.until('the others serve', () =>
      [first!, second!].every((member) => {
        const { serving, leader } = member.status()
        return serving && leader !== 3
      }),
    )
    const other = clientOver((channel) => second!.attachClient(channel, 'test')).connect()
    await time.until('a session', () => other.session !== 0n)
    const recoveries = storages[2]!.recoveries
    join(members, 1, 3)
    join(members, 2, 3)
    await time.until('all serve', () => members.every((member) => member.status().serving))
    const wasCut = storages[2]!.batches.flat().some(({ kind }) => kind === 'truncate')
    expect(storages[2]!.recoveries - recoveries).toBe(wasCut ? 1 : 0)
    expect(wasCut).toBe(true)
    expect((await storages[2]!.recover()).log.map(({ zxid }) => zxid)).toEqual(
      (await storages[1]!.recover()).log.map(({ zxid }) => zxid),
    )
  })
})
