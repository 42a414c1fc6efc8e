/** Who is linked with whom in a room that has voters, guests, and pages that know neither yet. */
import { describe, expect, it, vi } from 'vitest'
import { NEWCOMER_ATTEMPTS_MAX, REFUSED_RETRY_MS } from '../../../src/adapters/webrtc/limits.ts'
import type { PagePart } from '../../../src/adapters/webrtc/mesh-signal.ts'
import type { FakePage } from './fake-room.ts'
import { AT_ONCE_MS, linkOf, MeshBench } from './mesh-bench.ts'

const bench = new MeshBench()
const { enter, pass, until, connected } = bench

describe('guests', () => {
  const guest = { part: () => 'guest' as const }

  it('link with voters and not with each other, for good', async () => {
    const a = await enter('a', { part: () => 'voter' })
    const [b, c] = [await enter('b', guest), await enter('c', guest)]
    await until(() => connected(a).length === 2)
    await pass(3 * REFUSED_RETRY_MS)
    expect([connected(b), connected(c), bench.room.connections]).toEqual([['a'], ['a'], 2])
    expect(bench.room.signals.filter((line) => /b>c|c>b/.test(line))).toEqual([])
    // Nobody misses that link, so nobody is told of a refusal.
    expect([...b.mesh.status(), ...c.mesh.status()].map(({ refusal }) => refusal)).toEqual(
      Array(4).fill(null),
    )
  })

  it('refuse each other when one of them asked before it knew what it is', async () => {
    let part: PagePart = 'undecided'
    bench.room.filter = (line) => !line.includes('answer')
    const b = await enter('b', guest)
    const c = await enter('c', { part: () => part })
    await until(() => bench.room.signals.includes('b>c answer 1'))
    part = 'guest'
    bench.room.filter = () => true
    await pass(3 * REFUSED_RETRY_MS)
    expect([connected(b), connected(c), bench.room.openPeers]).toEqual([[], [], 0])
    expect(bench.room.signals.filter((line) => line.includes('offer'))).toHaveLength(1)
    expect(c.mesh.status()[0]?.reason).toMatch(/neither page is a voter/)
  })

  it.each(['a', 'z'])('are linked at once with a voter that comes back, as %s', async (name) => {
    const guests = [await enter('m', guest), await enter('n', guest)]
    let part: PagePart = 'undecided'
    const voter = await enter(name, { part: () => part })
    // It opens its storage.
    await pass(200)
    part = 'voter'
    const all = [...guests, voter]
    const isLinked = (one: FakePage): boolean => connected(one).length === (one === voter ? 2 : 1)
    await until(() => all.every(isLinked), AT_ONCE_MS)
  })

  it('that were linked before they were guests part, and the reason is told', async () => {
    const parts = { b: 'undecided', c: 'undecided' }
    const b = await enter('b', { part: () => parts.b as 'guest' })
    const c = await enter('c', { part: () => parts.c as 'guest' })
    await until(() => connected(b).length === 1 && connected(c).length === 1)
    Object.assign(parts, { b: 'guest', c: 'guest' })
    b.mesh.refuse(linkOf(b, c), 'no voter')
    await until(() => connected(b).length === 0 && connected(c).length === 0)
    await until(() => c.told.some((line) => line.includes('refused-by-peer: no voter')))
    await pass(3 * REFUSED_RETRY_MS)
    expect([connected(b), connected(c)]).toEqual([[], []])
  })

  it('hear why a voter has no place for them, and ask again later', async () => {
    let isFull = true
    const full = 'machine 1 has no place for another connection'
    const a = await enter('a', { part: () => 'voter', admit: async () => (isFull ? full : null) })
    const b = await enter('b', guest)
    await until(() => b.mesh.status().some(({ refusal }) => refusal === full))
    expect(connected(a)).toEqual([])
    isFull = false
    await until(() => connected(b).length === 1, 3 * REFUSED_RETRY_MS)
    expect(b.mesh.status().map(({ refusal }) => refusal)).toEqual([null])
  })

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('bring a link back that was made before the founding: %s with %s', async (name, voterName) => {
    let part: PagePart = 'undecided'
    const one = await enter(name, guest)
    const voter = await enter(voterName, { part: () => part })
    await until(() => connected(one).length === 1 && connected(voter).length === 1)
    part = 'voter'
    await pass(6_000)
    // The voter does not hear that it ended.
    bench.room.isNetworkUp = false
    one.mesh.replace(linkOf(one, voter), 'its network changed')
    await pass(20)
    bench.room.isNetworkUp = true
    await until(() => connected(one).length === 1, 15_000)
  })

  it('take an answer that comes late for a question', async () => {
    const b = await enter('b', guest)
    const a = await enter('a')
    const { onMessage } = a.signaling
    const kept: Uint8Array[] = []
    a.signaling.onMessage = (_from, bytes) => void kept.push(bytes.slice())
    await until(() => bench.room.signals.some((line) => line.startsWith('b>a offer')))
    // a stands still.
    bench.room.filter = (line) => !line.startsWith('a>')
    await until(() => b.mesh.status()[0]?.state === 'waiting')
    bench.room.filter = () => true
    a.signaling.onMessage = onMessage
    for (const bytes of kept) onMessage(b.peer, bytes)
    await until(() => connected(a).length === 1, 3_000)
  })

  it('that refused a newcomer show no refusal for ever', async () => {
    let part: PagePart = 'undecided'
    const client = await enter('b', { ...guest, admit: async () => 'a client only' })
    await enter('c', { part: () => part })
    await until(() => client.mesh.status()[0]?.refusal?.includes('a client only') === true)
    part = 'guest'
    await until(() => client.mesh.status()[0]?.refusal === null, 2 * REFUSED_RETRY_MS)
  })
})

describe('a newcomer to a full room', () => {
  const GUESTS = [...'bdfhjlnprtvxBDFHJLNPRTVX']

  /** It learns who votes from the first that it is linked with. */
  async function newcomer(name: string): Promise<FakePage> {
    let isTold = false
    const part = (): PagePart => (isTold ? 'guest' : 'undecided')
    return enter(name, { part, admit: async () => ((isTold = true), null) })
  }

  it.each(['A', 'm', 'z'])('costs few connections, as %s', async (name) => {
    for (const voter of ['c', 'k', 's']) await enter(voter, { part: () => 'voter' })
    for (const guest of GUESTS) await enter(guest, { part: () => 'guest' })
    await until(() => bench.room.connections === 3 + 3 * GUESTS.length)
    const before = bench.room.opened
    const page = await newcomer(name)
    await until(() => ['c', 'k', 's'].every((voter) => connected(page).includes(voter)), 5_000)
    await pass(3 * REFUSED_RETRY_MS)
    expect(bench.room.opened - before).toBeLessThanOrEqual(2 * (3 + NEWCOMER_ATTEMPTS_MAX))
  })

  it.each(['A', 'm', 'z'])('is told also when no voter is there, as %s', async (name) => {
    for (const guest of GUESTS) await enter(guest, { part: () => 'guest' })
    expect(bench.room.opened).toBe(0)
    const page = await newcomer(name)
    await until(() => connected(page).length > 0, 5_000)
    await pass(3 * REFUSED_RETRY_MS)
    expect(bench.room.opened).toBeLessThanOrEqual(2 * NEWCOMER_ATTEMPTS_MAX)
  })

  it('is not kept out by pages that stand still', async () => {
    const frozen = GUESTS.slice(0, 8)
    bench.room.filter = (line) => !frozen.includes(line[0]!)
    for (const name of frozen) await enter(name)
    const others = [await enter('A'), await enter('z')]
    const page = await enter('m')
    await until(() => connected(page).length === others.length, 8_000)
    expect(connected(page)).toEqual(['A', 'z'])
  })

  it('and whoever else waits for the founding are all linked with each other', async () => {
    const all: FakePage[] = []
    for (const name of 'mazbycxd') all.push(await enter(name))
    await until(() => all.every((page) => connected(page).length === all.length - 1), 5_000)
  })

  it('has its turns, as the smallest, although twelve pages stand still', async () => {
    const silent = GUESTS.slice(-12)
    bench.room.filter = (line) => !silent.includes(line[0]!)
    for (const name of silent) await enter(name, { part: () => 'guest' })
    await enter('z', { part: () => 'guest' })
    const page = await enter('A')
    await until(() => connected(page).includes('z'), 15_000)
  })

  it.each([
    ['A', 'when linked', { admit: async () => 'this tab is a client only' }],
    ['z', 'when linked', { admit: async () => 'this tab is a client only' }],
    ['A', 'before', { peersMax: 0 }],
    ['z', 'before', { peersMax: 0 }],
  ])('asks the next when it was refused, as %s, %s', async (name, _when, refusing) => {
    const clients = GUESTS.slice(-12)
    for (const client of clients) await enter(client, { part: () => 'guest', ...refusing })
    await enter('y', { part: () => 'guest' })
    const page = await enter(name)
    await until(() => connected(page).includes('y'), 4_000)
  })

  it('asks in time where timers come once a second', async () => {
    const virtual = globalThis.setTimeout
    const onTheSecond = (ms: number): number =>
      Math.ceil((performance.now() + ms) / 1_000) * 1_000 - performance.now()
    const late = (run: () => void, ms = 0): unknown => virtual(run, ms < 50 ? ms : onTheSecond(ms))
    vi.stubGlobal('setTimeout', late)
    await enter('z', { part: () => 'guest' })
    const page = await enter('A')
    await until(() => connected(page).length === 1, 4_000)
    vi.unstubAllGlobals()
  })

  it('that is slow costs one connection: what it asks crosses no offer', async () => {
    const voter = { part: () => 'voter' as const }
    const a = await enter('a', voter)
    const { onPeers, onMessage } = a.signaling
    const held: (() => void)[] = []
    a.signaling.onPeers = (...given) => void held.push(() => onPeers(...given))
    a.signaling.onMessage = (from, bytes) => {
      const copy = bytes.slice()
      held.push(() => onMessage(from, copy))
    }
    const b = await enter('b', voter)
    await pass(2_000)
    Object.assign(a.signaling, { onPeers, onMessage })
    for (const run of held) run()
    await until(() => connected(a).length === 1 && connected(b).length === 1)
    expect(bench.room.opened).toBe(2)
  })
})
