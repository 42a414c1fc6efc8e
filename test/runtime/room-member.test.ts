// Machines of one room: founding, links and clients, joined by memory.
import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import { MemoryStorage } from '../../src/adapters/memory/storage.ts'
import { equal } from '../../src/core/base/bytes.ts'
import { sha256 } from '../../src/core/base/sha256.ts'
import { creatorHash, incarnationOf } from '../../src/core/founding/key-names.ts'
import type { ClientChannel, ClientMultiplexer } from '../../src/ports/client-channel.ts'
import { bridgeChannels } from '../../src/runtime/bridge-channels.ts'
import { NOT_A_VOTER } from '../../src/runtime/guest-places.ts'
import { encodePageMessage } from '../../src/runtime/page-message.ts'
import { seedStorage } from '../../src/runtime/seed-storage.ts'
import { PeerTable } from '../../src/runtime/peer-table.ts'
import { RoomMember } from '../../src/runtime/room-member.ts'
import { clientOver, ManualTime, memoryPair, settle } from './bench.ts'

const keyOf = (name: string): Uint8Array => sha256(new TextEncoder().encode(name))
/** A signature that only this key's holder would know how to make, as far as tests go. */
const signatureOf = (key: Uint8Array, bytes: Uint8Array): Uint8Array => {
  const once = sha256(new Uint8Array([...key, ...bytes]))
  return new Uint8Array([...once, ...once])
}

class Multiplexer implements ClientMultiplexer {
  other: Multiplexer | null = null
  onOpen: (channel: ClientChannel) => void = () => {}
  open(): ClientChannel {
    const [here, there] = memoryPair()
    this.other?.onOpen(there)
    return here
  }
}

class Machine {
  readonly name: string
  readonly room: Room
  readonly member: RoomMember
  readonly storage: MemoryStorage
  readonly publicKey: Uint8Array

  private constructor(room: Room, name: string, storage: MemoryStorage, member: RoomMember) {
    this.room = room
    this.name = name
    this.storage = storage
    this.member = member
    this.publicKey = keyOf(name)
  }

  static async open(room: Room, name: string, disk: MemoryDisk, life = 1): Promise<Machine> {
    const storage = new MemoryStorage(disk, { token: `${name}${life}` })
    const publicKey = keyOf(name)
    const recovered = await storage.recover()
    const member = new RoomMember({
      identity: {
        incarnation: incarnationOf(publicKey),
        publicKey,
        sign: (bytes) => Promise.resolve(signatureOf(publicKey, bytes)),
        storage,
        meta: await storage.meta(),
      },
      recovered,
      room: 'room',
      size: 3,
      linkCreator: creatorHash(keyOf('a')),
      linkCluster: null,
      clock: room.time,
      every: room.time.every,
      randomBytes: (length) => sha256(publicKey).slice(0, length),
      verify: (key, bytes, signature) => Promise.resolve(equal(signature, signatureOf(key, bytes))),
      watchLiveness: () => undefined,
      onTrace: () => undefined,
      onChange: () => undefined,
      onReplaceLink: () => undefined,
      onRefuseLink: (_linkId, reason) => void room.refused.push(`${name}: ${reason}`),
      onPageMessage: (linkId, bytes) => void room.pages.get(`${name}:${linkId}`)?.(bytes),
    })
    return new Machine(room, name, storage, member)
  }

  async admit(linkId: string, peer: Machine): Promise<string | null> {
    return this.member.admit(linkId, {
      peerId: peer.name,
      incarnation: incarnationOf(peer.publicKey),
      publicKey: peer.publicKey,
      foundingRecord: peer.member.foundingRecord,
      startChain: (await peer.storage.meta()).startChain,
    })
  }
}

class Room {
  readonly time = new ManualTime()
  readonly refused: string[] = []
  readonly pages = new Map<string, (bytes: Uint8Array) => void>()
  #links = 0

  /** Resolves with what each says of the other. */
  async join(one: Machine, other: Machine, isMute = false): Promise<(string | null)[]> {
    const id = `link${++this.#links}`
    const [quorumHere, quorumThere] = memoryPair()
    quorumHere.isDead = isMute
    quorumThere.isDead = isMute
    const [clientsHere, clientsThere] = [new Multiplexer(), new Multiplexer()]
    clientsHere.other = clientsThere
    clientsThere.other = clientsHere
    this.pages.set(`${one.name}:${id}`, (bytes) => void other.member.pageMessage(id, bytes))
    this.pages.set(`${other.name}:${id}`, (bytes) => void one.member.pageMessage(id, bytes))
    one.member.attachQuorum(id, quorumHere)
    other.member.attachQuorum(id, quorumThere)
    one.member.attachClients(id, clientsHere, () => undefined)
    other.member.attachClients(id, clientsThere, () => undefined)
    const said = await Promise.all([one.admit(id, other), other.admit(id, one)])
    for (const { member } of [one, other]) member.opened(id)
    return said
  }
}

async function founded(): Promise<{ room: Room; machines: Machine[]; disks: MemoryDisk[] }> {
  const room = new Room()
  const disks = ['a', 'b', 'c'].map(() => new MemoryDisk())
  const machines: Machine[] = []
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    machines.push(await Machine.open(room, name, disks[i]!))
  }
  const [a, b, c] = machines as [Machine, Machine, Machine]
  expect(await room.join(a, b)).toEqual([null, null])
  expect(machines.map(({ member }) => member.status().phase)).toEqual(Array(3).fill('waiting'))
  await room.join(a, c)
  await room.join(b, c)
  await room.time.until('all serve', () =>
    machines.every(({ member }) => member.status().member?.serving === true),
  )
  return { room, machines, disks }
}

/** A machine beyond the voters, once it serves. */
async function observing(
  room: Room,
  name: string,
  disk: MemoryDisk,
  voters: readonly Machine[],
  life = 1,
): Promise<Machine> {
  const machine = await Machine.open(room, name, disk, life)
  for (const voter of voters) await room.join(machine, voter)
  await room.time.until(`${name} observes`, () => {
    const { phase, member } = machine.member.status()
    return phase === 'observer' && member?.serving === true
  })
  return machine
}

describe('a room', () => {
  test('of three machines is founded by its creator, and they elect', async () => {
    const { machines } = await founded()
    const states = machines.map(({ member }) => member.status())
    expect(states.map(({ phase }) => phase)).toEqual(['member', 'member', 'member'])
    expect(states.map(({ sid }) => sid)).toEqual([1, 2, 3])
    expect(new Set(states.map(({ cluster }) => cluster)).size).toBe(1)
    expect(states.filter(({ member }) => member?.role === 'leading')).toHaveLength(1)
  })

  test('has a fourth machine as an observer, with a place that the leader gave it', async () => {
    const { room, machines } = await founded()
    const disk = new MemoryDisk()
    const fourth = await observing(room, 'd', disk, machines)
    expect(fourth.member.status().sid).toBe(4)
    expect(fourth.member.status().text).toBe(
      'observing: the three voters of this room are machines 1, 2, 3',
    )
    expect(fourth.member.reachable()).toEqual(['local', 1, 2, 3])
    const client = clientOver((channel) => fourth.member.connectClient(channel, 'local')).connect()
    await room.time.until('a session', () => client.session !== 0n)
    expect(client.session >> 56n).toBe(4n)
    const [granted] = machines[0]!.member.status().member!.observers
    fourth.member.stop('reloaded')
    await room.time.pass(2_000)
    const again = await observing(room, 'd', disk, machines, 2)
    expect(again.member.status().sid).toBe(4)
    const [fresh] = machines[0]!.member.status().member!.observers
    expect(fresh!.sessionBase).toBeGreaterThan(granted!.sessionBase)
  })

  test('keeps its observers when the leader goes', async () => {
    const { room, machines } = await founded()
    const fourth = await observing(room, 'd', new MemoryDisk(), machines)
    const leader = machines.find(({ member }) => member.status().member?.role === 'leading')!
    const others = machines.filter((one) => one !== leader)
    leader.member.stop('closed')
    await room.time.until('a new leader', () =>
      others.some(({ member }) => member.status().member?.role === 'leading'),
    )
    await room.time.until('it observes', () => fourth.member.status().member?.serving === true)
    expect(fourth.member.status().text).toContain('the ensemble commits with 2 of 3, one more loss')
    const fifth = await observing(room, 'e', new MemoryDisk(), others)
    expect(fifth.member.status().sid).toBe(5)
  })

  test('does not link two guests, and says why', async () => {
    const { room, machines } = await founded()
    const fourth = await observing(room, 'd', new MemoryDisk(), machines)
    const fifth = await observing(room, 'e', new MemoryDisk(), machines)
    expect(await room.join(fourth, fifth)).toEqual(Array(2).fill(NOT_A_VOTER))
  })

  test('tells a client the founding record, and never takes it for a machine', async () => {
    const { room, machines } = await founded()
    const heard: Uint8Array[] = []
    const publicKey = keyOf('client')
    const peer = { peerId: 'client', incarnation: incarnationOf(publicKey), publicKey }
    const [a] = machines as [Machine, Machine, Machine]
    room.pages.set('a:c', (bytes) => heard.push(bytes))
    a.member.attachQuorum('c', memoryPair()[0])
    const said = { ...peer, isClient: true, foundingRecord: null, startChain: [] }
    expect(await a.member.admit('c', said)).toBeNull()
    a.member.opened('c')
    await a.member.pageMessage('c', encodePageMessage({ kind: 'observe' }))
    await room.time.pass(1_000)
    expect(heard).toEqual([a.member.foundingRecord])
    expect(a.member.status().member!.observers).toEqual([])
  })

  test('has a fourth machine as a client, which reaches a member over its link', async () => {
    const { room, machines } = await founded()
    const fourth = await Machine.open(room, 'd', new MemoryDisk())
    expect(await room.join(fourth, machines[1]!)).toEqual([null, null])
    await settle()
    const { phase, sid } = fourth.member.status()
    expect([phase, sid]).toEqual(['client', null])
    expect(fourth.member.reachable()).toEqual([2])
    const client = clientOver((channel) => fourth.member.connectClient(channel, 2)).connect()
    await settle()
    expect(client.session).not.toBe(0n)
    const nowhere = clientOver((channel) => fourth.member.connectClient(channel, 3))
    const local = clientOver((channel) => fourth.member.connectClient(channel, 'local'))
    await settle()
    expect(nowhere.closedBecause).toBe('no link to machine 3')
    expect(local.closedBecause).toBe('this tab has no running member')
  })

  test('refuses a machine whose storage was put back to an older state', async () => {
    const { room, machines, disks } = await founded()
    const [a, b] = machines as [Machine, Machine]
    const older = new MemoryDisk()
    const back = await Machine.open(room, 'c', older, 7)
    expect(await a.admit('again', back)).toBe('refused: the storage of this machine is rolled-back')
    const restarted = await Machine.open(room, 'c', disks[2]!, 2)
    expect(await b.admit('again', restarted)).toBeNull()
  })

  test('has a machine that lost its storage, and so its key, as a client', async () => {
    const { room, machines } = await founded()
    machines[2]!.member.stop('wiped')
    const wiped = await Machine.open(room, 'c with a new key', new MemoryDisk())
    await room.join(wiped, machines[0]!)
    await settle()
    expect(wiped.member.status().phase).toBe('client')
    expect(machines[0]!.member.status().voters).toEqual([1, 2, 3])
  })

  test('does not count a machine that left while it was being admitted', async () => {
    const room = new Room()
    const a = await Machine.open(room, 'a', new MemoryDisk())
    const b = await Machine.open(room, 'b', new MemoryDisk())
    const { startChain } = await b.storage.meta()
    const { publicKey } = b
    const incarnation = incarnationOf(publicKey)
    const peer = { peerId: 'b', incarnation, publicKey, foundingRecord: null, startChain }
    const admitted = a.member.admit('link', peer)
    a.member.detach('link', 'closed')
    expect(await admitted).toBe('its link is gone')
    expect(a.member.status().here).toBe(1)
  })
})

describe('a new ensemble from a copy', () => {
  test('begins with the state of the one machine that has it, whoever comes first', async () => {
    const { machines, room: old } = await founded()
    const survivor = machines[1]!
    const client = clientOver((channel) => survivor.member.connectClient(channel, 'local'))
    client.connect()
    await old.time.until('a session', () => client.session !== 0n)
    for (const machine of machines) if (machine !== survivor) machine.member.stop('gone for good')
    await old.time.until('it looks', () => survivor.member.status().member?.role === 'looking')
    const facts = survivor.member.running!.copyFacts()
    expect([facts.sessions, facts.znodes]).toEqual([1, 5])

    const disks = [0, 1, 2].map(() => new MemoryDisk())
    await seedStorage(
      new MemoryStorage(disks[0]!, { token: 'seed' }),
      survivor.member.running!.copy(),
    )
    const room = new Room()
    const [a, b, c] = (await Promise.all(
      ['a', 'b', 'c'].map((name, i) => Machine.open(room, name, disks[i]!)),
    )) as [Machine, Machine, Machine]
    // Nobody hears the one that has the state: the two others are a majority of nothing.
    for (const other of [b, c]) await room.join(a, other, true)
    await room.join(b, c)
    await room.time.until('both hold the record', () =>
      [b, c].every(({ member }) => member.status().phase === 'member'),
    )
    a.member.stop('crashed')
    await room.time.pass(5_000)
    expect([b, c].map(({ member }) => member.status().member?.role)).toEqual(
      Array(2).fill('looking'),
    )

    const back = await Machine.open(room, 'a', disks[0]!, 2)
    for (const other of [b, c]) await room.join(back, other)
    await room.time.until('all serve', () =>
      [back, b, c].every(({ member }) => member.status().member?.serving === true),
    )
    expect(back.member.status().member?.role).toBe('leading')
    const digests = [back, b, c].map(({ member }) => member.status().member?.treeDigest)
    expect(new Set(digests).size).toBe(1)
    expect(b.member.status().member?.sessions).toEqual([])
    expect(b.member.status().member!.epoch).toBeGreaterThan(
      Number(survivor.member.running!.copy().epoch),
    )
  })
})

describe('parts', () => {
  test('bridged channels pass on what is said, and end together', async () => {
    const [outerHere, here] = memoryPair()
    const [there, outerThere] = memoryPair()
    bridgeChannels(here, there)
    const heard: number[] = []
    outerThere.onMessage = ([byte]) => heard.push(byte ?? -1)
    outerHere.onMessage = ([byte]) => heard.push(byte ?? -1)
    outerHere.send(new Uint8Array([1]))
    await settle()
    outerThere.send(new Uint8Array([2]))
    await settle()
    expect(heard).toEqual([1, 2])
    outerHere.close('done')
    await settle()
    expect(outerThere.closedBecause).toBe('done')
  })

  test('of several links of a member the newest admitted one counts', () => {
    const table = new PeerTable()
    const member = { peerId: 'p', incarnation: 'i', publicKey: new Uint8Array(1) }
    table.link('old').member = member
    table.link('new').member = member
    table.link('stranger')
    expect(table.ofMember('i')?.linkId).toBe('new')
    const [end] = memoryPair()
    table.link('new').quorum = end
    const removed = table.remove('new', 'gone')
    expect([end.closedBecause, removed?.ended.signal.aborted]).toEqual(['gone', true])
    expect(table.ofPeerId('p')?.linkId).toBe('old')
    expect(table.admitted()).toHaveLength(1)
  })
})
