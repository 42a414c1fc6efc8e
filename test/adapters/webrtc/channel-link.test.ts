import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openChannelLink } from '../../../src/adapters/webrtc/channel-link.ts'
import {
  LINK_INBOX_MAX_BYTES,
  LINK_QUEUE_MAX_BYTES,
  PIECE_MAX_BYTES,
} from '../../../src/adapters/webrtc/limits.ts'
import { cutMessage, PieceError, PieceJoiner } from '../../../src/adapters/webrtc/piece.ts'
import {
  LINK_HIGH_WATERMARK_BYTES,
  LINK_LOW_WATERMARK_BYTES,
  LINK_MESSAGE_MAX_BYTES,
  type Link,
} from '../../../src/ports/link.ts'
import { fakeChannels, settled, type FakeChannel } from './fake-channel.ts'

function bytes(length: number, seed = 1): Uint8Array {
  const made = new Uint8Array(length)
  for (let i = 0; i < length; i++) made[i] = (i * 31 + seed) & 0xff
  return made
}

interface Ends {
  readonly a: FakeChannel
  readonly b: FakeChannel
  readonly left: Link
  readonly right: Link
  readonly received: Uint8Array[]
  readonly closed: string[]
}

function connect(): Ends {
  const [a, b] = fakeChannels()
  const [left, right] = [openChannelLink(a.rtc), openChannelLink(b.rtc)]
  const received: Uint8Array[] = []
  const closed: string[] = []
  right.onMessage = (message) => received.push(message)
  left.onClose = (reason) => closed.push(`left ${reason}`)
  right.onClose = (reason) => closed.push(`right ${reason}`)
  a.open()
  b.open()
  return { a, b, left, right, received, closed }
}

describe('pieces', () => {
  it('any message comes back whole, in pieces every browser carries', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(3), fc.nat(200), fc.integer({ min: 65_530, max: 200_000 })), {
          maxLength: 6,
        }),
        (lengths) => {
          const joiner = new PieceJoiner()
          for (const [index, length] of lengths.entries()) {
            const message = bytes(length, index)
            const pieces = cutMessage(message)
            for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(PIECE_MAX_BYTES)
            const joined = pieces.map((piece) => joiner.push(piece))
            expect(joined.slice(0, -1).every((one) => one === null)).toBe(true)
            expect(Buffer.compare(joined.at(-1)!, message)).toBe(0)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each([
    ['nothing', [[]]],
    ['an unknown kind', [[9, 1]]],
    ['a middle without a start', [[3, 1]]],
    ['an end without a start', [[4, 1]]],
    [
      'a start inside a message',
      [
        [2, 1],
        [2, 1],
      ],
    ],
    [
      'a whole one inside a message',
      [
        [2, 1],
        [1, 1],
      ],
    ],
    ['an empty middle', [[2, 1], [3]]],
  ])('refuse %s', (_name, pieces) => {
    const joiner = new PieceJoiner()
    expect(() => {
      for (const piece of pieces) joiner.push(Uint8Array.from(piece))
    }).toThrow(PieceError)
  })

  it('hold no more than the longest message', () => {
    const joiner = new PieceJoiner(10)
    joiner.push(Uint8Array.of(2, ...bytes(8)))
    expect(() => joiner.push(Uint8Array.of(3, ...bytes(3)))).toThrow('above 10')
    expect(() => new PieceJoiner(10).push(Uint8Array.of(1, ...bytes(11)))).toThrow('above 10')
  })

  it('random bytes throw PieceError or nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }), (pieces) => {
        const joiner = new PieceJoiner(50)
        for (const piece of pieces) {
          try {
            joiner.push(piece)
          } catch (error) {
            expect(error).toBeInstanceOf(PieceError)
            return
          }
        }
      }),
    )
  })
})

describe('a link over a data channel', () => {
  it('carries what was sent before the channel opened, in order', async () => {
    const [a, b] = fakeChannels()
    const [left, right] = [openChannelLink(a.rtc), openChannelLink(b.rtc)]
    const received: number[] = []
    right.onMessage = (message) => received.push(message[0] ?? -1)
    left.send(Uint8Array.of(1))
    left.send(Uint8Array.of(2))
    expect(left.bufferedBytes).toBeGreaterThan(0)
    b.open()
    a.open()
    left.send(Uint8Array.of(3))
    await settled()
    expect(received).toEqual([1, 2, 3])
    expect(left.bufferedBytes).toBe(0)
    expect(a.binaryType).toBe('arraybuffer')
  })

  it.each([0, 1, PIECE_MAX_BYTES - 1, PIECE_MAX_BYTES, 1_000_000, LINK_MESSAGE_MAX_BYTES])(
    'carries a message of %i bytes',
    async (length) => {
      const { a, left, received } = connect()
      const message = bytes(length)
      left.send(message)
      for (let i = 0; i < 100 && received.length === 0; i++) await settled()
      expect(Buffer.compare(received[0]!, message)).toBe(0)
      expect(Math.max(...a.sizes)).toBeLessThanOrEqual(PIECE_MAX_BYTES)
    },
  )

  it('stops at the high watermark and says when it may go on', () => {
    const { a, left } = connect()
    a.isAutomatic = false
    let writable = 0
    left.onWritable = () => writable++
    for (let i = 0; i < 20; i++) left.send(bytes(60_000))
    expect(a.bufferedAmount).toBeLessThan(LINK_HIGH_WATERMARK_BYTES + PIECE_MAX_BYTES)
    expect(left.bufferedBytes).toBe(20 * 60_001)
    while (a.wire.length > 0) {
      expect(writable).toBe(0)
      a.deliver(1)
      if (left.bufferedBytes <= LINK_LOW_WATERMARK_BYTES) break
    }
    expect(writable).toBe(1)
    a.deliver(100)
    expect([writable, left.bufferedBytes]).toEqual([1, 0])
  })

  it('closes, once and with a reason, rather than drop', async () => {
    const { a, left, closed } = connect()
    a.isAutomatic = false
    const message = bytes(LINK_MESSAGE_MAX_BYTES)
    const count = Math.ceil(LINK_QUEUE_MAX_BYTES / LINK_MESSAGE_MAX_BYTES) + 2
    for (let i = 0; i < count; i++) left.send(message)
    expect(closed).toEqual([])
    await settled()
    expect(closed[0]).toMatch(/^left more than \d+ bytes wait/)
    expect(closed).toHaveLength(2)
    expect(left.bufferedBytes).toBe(0)
  })

  it('closes on a message that is too long', async () => {
    const { left, closed } = connect()
    left.send(new Uint8Array(LINK_MESSAGE_MAX_BYTES + 1))
    await settled()
    expect(closed[0]).toMatch(/^left message of/)
  })

  it.each([
    ['malformed pieces', Uint8Array.of(9).buffer],
    ['text', 'hello'],
  ])('closes on %s', async (_name, data) => {
    const { b, closed, received } = connect()
    b.onmessage?.({ data })
    await settled()
    expect(received).toEqual([])
    expect(closed.some((one) => one.startsWith('right malformed'))).toBe(true)
  })

  it('keeps what comes before anybody listens, within a bound', async () => {
    const [a, b] = fakeChannels()
    const [left, right] = [openChannelLink(a.rtc), openChannelLink(b.rtc)]
    a.open()
    b.open()
    left.send(Uint8Array.of(1))
    await settled()
    const received: number[] = []
    right.onMessage = (message) => received.push(message[0] ?? -1)
    left.send(Uint8Array.of(2))
    await settled()
    expect(received).toEqual([1, 2])
  })

  it('closes when too much comes before anybody listens', async () => {
    const [a, b] = fakeChannels()
    const [left, right] = [openChannelLink(a.rtc), openChannelLink(b.rtc)]
    a.open()
    b.open()
    for (let i = 0; i <= LINK_INBOX_MAX_BYTES / LINK_MESSAGE_MAX_BYTES; i++) {
      left.send(bytes(LINK_MESSAGE_MAX_BYTES))
      for (let turn = 0; turn < 70; turn++) await settled()
    }
    // Assigned late, and told all the same.
    const reason = await new Promise((resolve) => (right.onClose = resolve))
    expect(reason).toContain('before anybody listened')
  })

  it('never throws and says nothing more once it is closed', async () => {
    const { a, left, right, received, closed } = connect()
    left.close('done')
    left.close('again')
    left.send(bytes(10))
    expect(closed).toEqual([])
    await settled()
    expect(closed).toEqual(['left done', 'right channel closed'])
    right.send(bytes(10))
    a.onmessage?.({ data: bytes(3).buffer })
    await settled()
    expect([received.length, closed.length]).toEqual([0, 2])
  })

  it('closes when the carrier throws', async () => {
    const { a, left, closed } = connect()
    a.maxMessageBytes = 10
    left.send(bytes(100))
    await settled()
    expect(closed[0]).toMatch(/^left sending failed/)
  })

  it('ends when the channel errs, though the browser leaves it open', async () => {
    const { a, closed } = connect()
    a.onerror?.({ error: new Error('sctp failure') })
    await settled()
    expect(closed).toContain('left sctp failure')
    expect(a.readyState).toBe('closed')
  })

  it('lets a test put itself between', async () => {
    const [a] = fakeChannels()
    const wrapped = { send: () => {} } as unknown as Link
    expect(openChannelLink(a.rtc, { wrapLink: () => wrapped })).toBe(wrapped)
  })
})
