import { describe, expect, it } from 'vitest'
import { CONNECT_TIMEOUT_MS, REFUSED_RETRY_MS } from '../../../src/adapters/webrtc/limits.ts'
import { encodeMeshSignal, type MeshSignal } from '../../../src/adapters/webrtc/mesh-signal.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type { FakePage } from './fake-room.ts'
import { AT_ONCE_MS, linkOf, MeshBench } from './mesh-bench.ts'

const bench = new MeshBench()
const { enter, pass, until, connected } = bench

/** A link id without the number of its renewal. */
function original(link: string): string {
  return link.replace(/\.\d+$/, '')
}

describe('pages of one room', () => {
  it('form a full mesh; of each pair only the larger id offers', async () => {
    const [a, b, c] = [await enter('a'), await enter('b'), await enter('c')]
    await until(() => [a, b, c].every((page) => connected(page).length === 2))
    expect(connected(a)).toEqual(['b', 'c'])
    expect(bench.room.connections).toBe(3)
    const offers = bench.room.signals
      .filter((line) => line.includes('offer'))
      .map((line) => line[0])
    expect(offers.sort()).toEqual(['b', 'c', 'c'])
    expect(a.told.filter((line) => line.startsWith('down'))).toEqual([])
  })

  it('hand both channels to the worker in the task that made them', async () => {
    const tasks: string[] = []
    const a = await enter('a')
    const b = await enter('b', {
      attachChannel: (link, label) => void tasks.push(`${link} ${label}`),
    })
    // The larger id offers when it hears of the other: within that very call.
    expect(tasks).toHaveLength(2)
    expect(tasks.map((one) => one.split(' ')[1])).toEqual(['quorum', 'client'])
    await until(() => connected(b).length === 1)
    expect(a.channels.map((one) => one.label)).toEqual(['quorum', 'client'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new DOMException('no', 'DataCloneError')
      },
    ],
    ['rejects', () => Promise.reject(new DOMException('no', 'DataCloneError'))],
  ])('relay by a port where moving a channel %s', async (_name, attachChannel) => {
    await enter('a')
    const b = await enter('b', { attachChannel })
    await until(() => connected(b).length === 1)
    expect(b.ports.map((one) => one.split(' ')[1])).toEqual(['quorum', 'client'])
  })

  it('give a connection up when the worker takes no channel at all', async () => {
    await enter('a')
    const b = await enter('b', { attachChannel: () => Promise.reject(new Error('worker is dead')) })
    await until(() => b.told.some((line) => line.includes('worker is dead')))
    expect(connected(b)).toEqual([])
  })

  it('exchange page messages on verified links only', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    expect(b.mesh.sendPage(linkOf(b, a), encodeUtf8('too early'))).toBe(false)
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    expect(b.mesh.sendPage(linkOf(b, a), encodeUtf8('record'))).toBe(true)
    await until(() => a.told.includes('page record'))
    expect(b.mesh.sendPage('another-1', encodeUtf8('x'))).toBe(false)
  })
})

describe('a link that ended', () => {
  it('is made anew at once when the connection failed', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(a).length === 1 && connected(b).length === 1)
    const before = linkOf(b, a)
    bench.room.failAll()
    expect([connected(a), connected(b)]).toEqual([[], []])
    await until(() => connected(a).length === 1 && connected(b).length === 1, AT_ONCE_MS)
    expect(linkOf(b, a)).not.toBe(before)
    expect(b.told).toContain(`down ${before} Connection failed.`)
  })

  it.each([
    ['the initiator', 1],
    ['the other side', 0],
  ])('is replaced at once when %s suspects it', async (_name, index) => {
    const both = [await enter('a'), await enter('b')]
    const [a, b] = both as [FakePage, FakePage]
    await until(() => connected(a).length === 1 && connected(b).length === 1)
    const suspecting = both[index]!
    const before = linkOf(suspecting, both[1 - index]!)
    const [beforeA, beforeB] = [linkOf(a, b), linkOf(b, a)]
    suspecting.mesh.replace(before, 'silent for 1200 ms')
    await until(() => linkOf(a, b) !== beforeA && linkOf(b, a) !== beforeB, AT_ONCE_MS)
    await until(() => connected(a).length === 1 && connected(b).length === 1, AT_ONCE_MS)
    expect(suspecting.told.filter((line) => line.startsWith('down'))).toEqual([
      `down ${before} silent for 1200 ms`,
    ])
    expect(bench.room.openPeers).toBe(2)
    suspecting.mesh.replace(before, 'an old link')
    expect(connected(suspecting)).toHaveLength(1)
  })

  it('backs off while nothing comes about, and stops nobody', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    bench.room.isNetworkUp = false
    await pass(120_000)
    const offers = bench.room.signals.filter((line) => line.includes('offer')).length
    expect(offers).toBeGreaterThan(4)
    expect(offers).toBeLessThan(16)
    expect(bench.room.openPeers).toBeLessThanOrEqual(2)
    bench.room.isNetworkUp = true
    await until(() => connected(a).length === 1 && connected(b).length === 1, 30_000)
  })

  it('comes about although offers, answers or questions were lost', async () => {
    let lost = 0
    bench.room.filter = (line) => line.includes('candidate') || ++lost > 3
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(a).length === 1 && connected(b).length === 1, 60_000)
    expect(bench.room.connections).toBe(1)
  })

  it('is not made for a peer that left', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1)
    a.mesh.closeAllSync('page left')
    bench.room.leave(a, 'left')
    await pass(5_000)
    expect(b.mesh.status()).toEqual([])
    expect(bench.room.openPeers).toBe(0)
    expect(b.told.filter((line) => line.startsWith('suspect'))).toEqual([])
  })
})

describe('the broker', () => {
  it('hints at a crash, which ends no link', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    bench.room.leave(a, 'dropped')
    expect(b.told).toContain('suspect nobody')
    expect(connected(b)).toHaveLength(1)
    b.mesh.replace(linkOf(b, a), 'no pong')
    await pass(1_000)
    expect(b.mesh.status()).toEqual([])
  })

  it('may die: links live on; and may come back empty: lost ones return', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    bench.room.stop()
    await pass(10_000)
    expect([connected(a), connected(b)]).toEqual([['b'], ['a']])
    bench.room.failAll()
    await pass(10_000)
    expect([connected(a), connected(b)]).toEqual([[], []])
    expect(bench.room.openPeers).toBe(0)
    bench.room.restart()
    await until(() => connected(a).length === 1 && connected(b).length === 1, AT_ONCE_MS)
  })

  it.each([
    ['one side', ['a']],
    ['the other', ['b']],
    ['both', ['a', 'b']],
  ])('is not needed to renew a link that %s suspects', async (_name, suspecting) => {
    const both = [await enter('a'), await enter('b')]
    const [a, b] = both as [FakePage, FakePage]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    bench.room.stop()
    for (let round = 1; round <= 2; round++) {
      const before = [linkOf(a, b), linkOf(b, a)] as const
      for (const page of both) {
        const other = page === a ? b : a
        if (suspecting.includes(page.name)) page.mesh.replace(linkOf(page, other), 'silent')
      }
      await until(() => a.told.includes(`up ${original(before[0])}.${round} b`))
      await until(() => b.told.includes(`up ${original(before[1])}.${round} a`))
      expect([connected(a), connected(b)]).toEqual([['b'], ['a']])
      expect(a.told.filter((line) => line.startsWith(`down ${before[0]} `))).toHaveLength(1)
      expect(b.told.filter((line) => line.startsWith(`down ${before[1]} `))).toHaveLength(1)
      const labels = a.channels.filter((one) => one.link === linkOf(a, b)).map((one) => one.label)
      expect(labels).toEqual(['quorum', 'client'])
    }
    expect(bench.room.connections).toBe(1)
    expect(b.mesh.sendPage(linkOf(b, a), encodeUtf8('after'))).toBe(true)
    await until(() => a.told.includes('page after'))
  })

  it('comes back before a silent peer does: a fresh connection takes over', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    bench.room.stop()
    bench.room.isNetworkUp = false
    b.mesh.replace(linkOf(b, a), 'silent')
    await pass(2_000)
    expect(connected(b)).toEqual([])
    bench.room.isNetworkUp = true
    bench.room.restart()
    await until(() => connected(a).length === 1 && connected(b).length === 1)
    expect(bench.room.connections).toBe(1)
  })

  it('brings back a page that thaws and answers an attempt that was given up', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    // a is frozen: it says nothing.
    bench.room.filter = (line) => !line.startsWith('a>')
    b.mesh.replace(linkOf(b, a), 'silent')
    await until(() => b.mesh.status()[0]?.state === 'waiting')
    const attempt = Number(
      /offer (\d+)$/.exec(bench.room.signals.findLast((line) => line.includes('offer'))!)![1],
    )
    bench.room.filter = () => true
    const answer = { type: 'answer', sdp: 'fake 0' } as const
    const bytes = encodeMeshSignal({ kind: 'rtc', attempt, signal: answer })
    b.signaling.onMessage(a.peer, bytes)
    expect(b.mesh.status()[0]?.state).toBe('connecting')
    await until(() => connected(b).length === 1)
  })

  it('names the order of arrival', async () => {
    let order: string[] = []
    await enter('c')
    await enter('a', {
      onArrivals: (peers) => (order = peers.map((one) => bench.room.nameOf(one.peer))),
    })
    await enter('b')
    expect(order).toEqual(['c', 'a', 'b'])
  })

  it('cannot make a page offer twice or take an old attempt', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    const before = [linkOf(a, b), linkOf(b, a)]
    const inject = (to: FakePage, from: FakePage, signal: MeshSignal): void => {
      to.signaling.onMessage(from.peer, encodeMeshSignal(signal))
    }
    const offer = { type: 'offer', sdp: 'fake 99' } as const
    inject(a, b, { kind: 'rtc', attempt: 0, signal: offer })
    inject(a, b, { kind: 'rtc', attempt: 1, signal: { type: 'answer', sdp: 'fake 99' } })
    // Only the larger id offers.
    inject(b, a, { kind: 'rtc', attempt: 77, signal: offer })
    inject(b, a, { kind: 'ask', attempt: 0 })
    inject(b, a, { kind: 'refuse', attempt: 1, reason: 'go away' })
    await pass(500)
    expect([linkOf(a, b), linkOf(b, a)]).toEqual(before)
  })
})

describe('refusals and bounds', () => {
  it('a refused peer hears why and is not asked again soon', async () => {
    const [a, b] = [await enter('a', { admit: async () => 'not wanted' }), await enter('b')]
    await until(() => b.mesh.status()[0]?.reason?.includes('not wanted') === true)
    const offers = (): number => bench.room.signals.filter((line) => line.includes('offer')).length
    const before = offers()
    await pass(REFUSED_RETRY_MS - 1_000)
    expect(offers()).toBe(before)
    expect([connected(a), connected(b)]).toEqual([[], []])
    await pass(3_000)
    expect(offers()).toBe(before + 1)
  })

  it.each([
    ['the side that offers', { c: { peersMax: 1 }, b: {} }],
    ['the side that does not', { c: {}, b: { peersMax: 1 } }],
  ])(
    'no more connections than its bound on %s; a place that gets free is used',
    async (_name, bounds) => {
      const a = await enter('a')
      const b = await enter('b', bounds.b)
      await until(() => connected(b).length === 1 && connected(a).length === 1)
      const c = await enter('c', bounds.c)
      await until(() => connected(c).length === 1)
      await pass(5_000)
      const full = 'peersMax' in bounds.c ? c : b
      expect(connected(full)).toHaveLength(1)
      const status = full.mesh.status().find((one) => one.state === 'waiting')
      expect(full === c ? status?.reason : 'no place').toContain('no place')
      const [connectedTo = ''] = connected(full)
      const leaving = [a, b, c].find((page) => page.name === connectedTo)!
      leaving.mesh.closeAllSync('left')
      bench.room.leave(leaving, 'left')
      await until(() => connected(full).length === 1, 60_000)
    },
  )

  it('a browser without WebRTC is said, and nothing breaks', async () => {
    bench.room.openFailure = new Error('No WebRTC support')
    await enter('a')
    const b = await enter('b')
    await pass(CONNECT_TIMEOUT_MS)
    expect(b.mesh.status()[0]?.reason).toContain('No WebRTC support')
  })

  it('a mesh that was closed does nothing any more', async () => {
    const [a, b] = [await enter('a'), await enter('b')]
    await until(() => connected(b).length === 1 && connected(a).length === 1)
    const link = linkOf(b, a)
    b.mesh.closeAllSync('worker died')
    expect(b.told.at(-1)).toBe(`down ${link} worker died`)
    expect(bench.room.openPeers).toBe(1)
    const { length } = b.told
    bench.room.restart()
    b.mesh.replace(link, 'x')
    await pass(1_000)
    expect(b.told).toHaveLength(length)
    expect(b.mesh.status()).toEqual([])
  })
})
