import { describe, expect, test } from 'vitest'
import { encodeUtf8, decodeUtf8 } from '../../../src/core/base/utf8.ts'
import { toServerId, type ServerId, type Zxid } from '../../../src/core/base/zxid.ts'
import { EffectGate } from '../../../src/core/effect-gate/effect-gate.ts'
import { FRAME_TARGET_BYTES } from '../../../src/core/zab/constants.ts'
import type { Lane, PersistEffect, SendEffect, ZabEffect } from '../../../src/core/zab/effect.ts'
import { decodeFrame } from '../../../src/core/zab/frame.ts'

const P2 = toServerId(2)
const P3 = toServerId(3)

interface SendOptions {
  readonly peer?: ServerId
  readonly lane?: Lane
  readonly conversation?: number
}

function send(
  text: string,
  when: 'now' | 'persisted' = 'now',
  { peer = P2, lane = 'stream', conversation = 1 }: SendOptions = {},
): SendEffect {
  return { kind: 'send', peer, lane, conversation, when, packet: encodeUtf8(text) }
}

function append(n: number): PersistEffect {
  return { kind: 'append', zxid: BigInt(n) as Zxid, entry: new Uint8Array(1) }
}

/** "2 stream 1: a b" per frame. */
function frames(gate: EffectGate): string[] {
  return gate.takeFrames().map(({ peer, bytes }) => {
    const { lane, conversation, packets } = decodeFrame(bytes)
    return `${peer} ${lane} ${conversation}: ${packets.map(decodeUtf8).join(' ')}`
  })
}

function gateWith(...effects: readonly ZabEffect[]): EffectGate {
  const gate = new EffectGate()
  gate.offer(effects)
  return gate
}

describe('batches', () => {
  test('take everything that waits, and one is in flight at a time', () => {
    const gate = gateWith(append(1), append(2))
    expect(gate.takeBatch()).toEqual([append(1), append(2)])
    expect(gate.inFlight).toBe(true)
    gate.offer([append(3)])
    expect(gate.takeBatch()).toBeNull()
    expect(gate.batchDone()).toBe(2)
    expect(gate.takeBatch()).toEqual([append(3)])
    expect(gate.batchDone()).toBe(3)
    expect(gate.takeBatch()).toBeNull()
  })

  test.each<[string, PersistEffect]>([
    ['truncate', { kind: 'truncate', to: 1n as Zxid }],
    [
      'an installing snapshot',
      { kind: 'snapshot-commit', id: 1, zxid: 1n as Zxid, chunks: 0, install: true },
    ],
  ])('end with %s: nothing later joins', (_, barrier) => {
    const gate = gateWith(append(1), barrier, append(2), append(3))
    expect(gate.takeBatch()).toEqual([append(1), barrier])
    expect(gate.takeBatch()).toBeNull()
    expect(gate.batchDone()).toBe(2)
    expect(gate.takeBatch()).toEqual([append(2), append(3)])
  })

  test('go on behind a local snapshot', () => {
    const local = { kind: 'snapshot-commit', id: 1, zxid: 1n as Zxid, chunks: 0 } as const
    const gate = gateWith({ ...local, install: false }, append(1))
    expect(gate.takeBatch()).toHaveLength(2)
  })

  test('a batch that was not taken cannot be done', () => {
    expect(() => new EffectGate().batchDone()).toThrow('not taken')
  })
})

describe('sends', () => {
  test('leave at once, many packets in one frame', () => {
    expect(frames(gateWith(send('a'), send('b'), send('c')))).toEqual(['2 stream 1: a b c'])
  })

  test('wait for every persist effect before them', () => {
    const gate = gateWith(append(1), send('a', 'persisted'), append(2), send('b', 'persisted'))
    expect(frames(gate)).toEqual([])
    gate.takeBatch()
    expect(frames(gate)).toEqual([])
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 1: a b'])
  })

  test('do not wait for what was emitted after them', () => {
    const gate = gateWith(append(1))
    gate.takeBatch()
    gate.offer([send('a', 'persisted'), append(2), send('b', 'persisted')])
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 1: a'])
    gate.takeBatch()
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 1: b'])
  })

  test('need no wait when nothing is to be persisted', () => {
    expect(frames(gateWith(send('a', 'persisted')))).toEqual(['2 stream 1: a'])
  })

  test('queue behind a held one of the same stream only (Q82)', () => {
    const gate = gateWith(
      append(1),
      send('held', 'persisted'),
      send('behind'),
      send('other peer', 'now', { peer: P3 }),
      send('request', 'now', { lane: 'request' }),
      send('vote', 'now', { lane: 'election', conversation: 0 }),
      send('pulse', 'now', { lane: 'pulse', conversation: 0 }),
    )
    expect(frames(gate)).toEqual([
      '2 pulse 0: pulse',
      '2 election 0: vote',
      '2 request 1: request',
      '3 stream 1: other peer',
    ])
    gate.takeBatch()
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 1: held behind'])
  })

  test('of notifications only the newest leaves (Q21)', () => {
    const election = { lane: 'election', conversation: 0 } as const
    const gate = gateWith(send('old', 'now', election), send('new', 'now', election))
    expect(frames(gate)).toEqual(['2 election 0: new'])
  })

  test('of two conversations never share a frame', () => {
    const gate = gateWith(send('a'), send('b', 'now', { conversation: 2 }), send('c'))
    expect(frames(gate)).toEqual(['2 stream 1: a', '2 stream 2: b', '2 stream 1: c'])
  })

  test('fill frames up to the target size; a longer packet has its own', () => {
    const third = FRAME_TARGET_BYTES / 3
    const gate = gateWith(
      ...[third, third, third, 2 * FRAME_TARGET_BYTES, 1].map((n) => send('x'.repeat(n))),
    )
    const sizes = gate.takeFrames().map(({ bytes }) => decodeFrame(bytes).packets.length)
    expect(sizes).toEqual([2, 1, 1, 1])
  })
})

describe('the end of a conversation', () => {
  test('drops what is held and queued of it, and nothing else', () => {
    const gate = gateWith(
      append(1),
      send('held', 'persisted'),
      send('request', 'now', { lane: 'request' }),
      send('next', 'persisted', { conversation: 2 }),
      { kind: 'end-conversation', peer: P2, conversation: 1 },
    )
    gate.takeBatch()
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 2: next'])
  })

  test('lets go what waited behind it', () => {
    const gate = gateWith(
      append(1),
      send('held', 'persisted'),
      send('next', 'now', { conversation: 2 }),
    )
    expect(frames(gate)).toEqual([])
    gate.offer([{ kind: 'end-conversation', peer: P2, conversation: 1 }])
    expect(frames(gate)).toEqual(['2 stream 2: next'])
  })

  test('appends of it go on and their completion counts', () => {
    const gate = gateWith(append(1), { kind: 'end-conversation', peer: P2, conversation: 1 })
    expect(gate.takeBatch()).toHaveLength(1)
    expect(gate.batchDone()).toBe(1)
  })

  test('a closed link takes everything with it', () => {
    const gate = gateWith(
      send('pulse', 'now', { lane: 'pulse', conversation: 0 }),
      append(1),
      send('held', 'persisted'),
      { kind: 'close-link', peer: P2, reason: 'silent' },
      send('later'),
    )
    gate.takeBatch()
    gate.batchDone()
    expect(frames(gate)).toEqual(['2 stream 1: later'])
  })
})

test('everything else passes, in order', () => {
  interface Own {
    readonly kind: 'client-send'
    readonly n: number
  }
  const gate = new EffectGate<ZabEffect | Own>()
  const trace: ZabEffect = { kind: 'trace', event: { type: 'slept', elapsedMs: 1 } }
  const close: ZabEffect = { kind: 'close-link', peer: P2, reason: 'r' }
  gate.offer([
    { kind: 'client-send', n: 1 },
    append(1),
    trace,
    close,
    { kind: 'client-send', n: 2 },
  ])
  const expected = [{ kind: 'client-send', n: 1 }, trace, close, { kind: 'client-send', n: 2 }]
  expect(gate.takeOthers()).toEqual(expected)
  expect(gate.takeOthers()).toEqual([])
})
