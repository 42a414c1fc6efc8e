import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SIGNAL_LIMITS, type SignalLimits } from '../../src/signaling/limits.ts'
import {
  parseServerMessage,
  peerIdOf,
  SIGNAL_PROTOCOL_VERSION,
  type ServerMessage,
} from '../../src/signaling/protocol.ts'
import { RoomBroker, type RoomInput, type RoomOutput } from '../../src/signaling/room.ts'

const ROOM_A = 'a'.repeat(64)
const ROOM_B = 'b'.repeat(64)

function token(n: number): string {
  return n.toString(16).padStart(32, '0')
}

function joinText(n: number, room: string = ROOM_A): string {
  return JSON.stringify({
    type: 'join',
    version: SIGNAL_PROTOCOL_VERSION,
    room,
    token: token(n),
  })
}

function relayText(to: number, body = 'AAAA'): string {
  return JSON.stringify({ type: 'relay', to: peerIdOf(token(to)), body })
}

/** A broker with what each socket was told, readable. */
class Scene {
  readonly broker: RoomBroker
  nowMs = 0
  constructor(limits: Partial<SignalLimits> = {}) {
    this.broker = new RoomBroker({ ...SIGNAL_LIMITS, ...limits })
  }

  /** One line per output, peers by their number. */
  step(input: RoomInput): string[] {
    return this.broker.step(input, this.nowMs).map(line)
  }

  text(socket: number, text: string): string[] {
    return this.step({ kind: 'text', socket, text })
  }

  /** Socket n joins as peer n. */
  join(n: number, room: string = ROOM_A): string[] {
    this.step({ kind: 'opened', socket: n })
    return this.text(n, joinText(n, room))
  }
}

const NUMBERS = new Map(Array.from({ length: 40 }, (_, n) => [peerIdOf(token(n)), String(n)]))

function numberOf(peer: string): string {
  return NUMBERS.get(peer) ?? 'stranger'
}

function line(output: RoomOutput): string {
  if (output.kind === 'close') return `close ${output.socket} ${output.reason}`
  const message = parseServerMessage(output.text)
  return `${output.socket} < ${message === null ? 'malformed' : words(message)}`
}

function words(message: ServerMessage): string {
  switch (message.type) {
    case 'peers':
      return message.peers.map((one) => `${numberOf(one.peer)}#${one.order}`).join(' ')
    case 'relay':
      return `from ${numberOf(message.from)} ${message.body}`
    case 'gone':
      return `gone ${numberOf(message.peer)} ${message.reason}`
    case 'error':
      return `error ${message.code}`
    case 'pong':
      return 'pong'
  }
}

describe('the rules of the broker', () => {
  it('names everybody in order of arrival, to everybody', () => {
    const scene = new Scene()
    expect(scene.join(1)).toEqual(['1 < 1#1'])
    expect(scene.join(2)).toEqual(['1 < 1#1 2#2', '2 < 1#1 2#2'])
    expect(scene.join(3, ROOM_B)).toEqual(['3 < 3#1'])
  })

  it('relays within a room only, and says who sent', () => {
    const scene = new Scene()
    scene.join(1)
    scene.join(2)
    scene.join(3, ROOM_B)
    expect(scene.text(1, relayText(2))).toEqual(['2 < from 1 AAAA'])
    expect(scene.text(1, relayText(3))).toEqual(['1 < error no-peer'])
  })

  it.each([
    [true, 'left'],
    [false, 'dropped'],
  ])('tells the others when a socket ends (clean: %s)', (clean, reason) => {
    const scene = new Scene()
    scene.join(1)
    scene.join(2)
    expect(scene.step({ kind: 'closed', socket: 1, clean })).toEqual([`2 < gone 1 ${reason}`])
    expect(scene.step({ kind: 'closed', socket: 1, clean })).toEqual([])
    expect(scene.text(2, relayText(1))).toEqual(['2 < error no-peer'])
  })

  it('takes a farewell', () => {
    const scene = new Scene()
    scene.join(1)
    scene.join(2)
    expect(scene.text(1, '{"type":"leave"}')).toEqual(['close 1 left', '2 < gone 1 left'])
  })

  it('gives a peer that comes back by its token its place again, without a gap', () => {
    const scene = new Scene()
    scene.join(1)
    scene.join(2)
    scene.step({ kind: 'opened', socket: 11 })
    expect(scene.text(11, joinText(1))).toEqual([
      '1 < error replaced',
      'close 1 replaced',
      '11 < 1#1 2#2',
      '2 < 1#1 2#2',
    ])
    expect(scene.step({ kind: 'closed', socket: 1, clean: false })).toEqual([])
    expect(scene.text(2, relayText(1))).toEqual(['11 < from 2 AAAA'])
  })

  it('forgets a room with its last member', () => {
    const scene = new Scene()
    scene.join(1)
    scene.step({ kind: 'closed', socket: 1, clean: true })
    expect([scene.broker.roomCount, scene.broker.socketCount]).toEqual([0, 0])
    expect(scene.join(2)).toEqual(['2 < 2#1'])
  })

  it.each([
    ['no JSON', 'x'],
    ['no object', '[]'],
    ['null', 'null'],
    ['an unknown type', '{"type":"own"}'],
    ['a field too many', '{"type":"ping","x":1}'],
    ['a short room id', joinText(1, 'abc')],
    ['an upper-case room id', joinText(1, 'A'.repeat(64))],
    ['a token of another form', joinText(1).replace(token(1), '../..')],
    ['a version that is no number', joinText(1).replace('"version":1', '"version":"1"')],
    ['a body that is not base64', relayText(1, '<b>')],
    ['an empty text', ''],
  ])('closes a socket that sends %s', (_name, text) => {
    const scene = new Scene()
    scene.step({ kind: 'opened', socket: 1 })
    expect(scene.text(1, text)).toEqual(['1 < error bad-message', 'close 1 bad-message'])
    expect(scene.broker.socketCount).toBe(0)
    expect(scene.text(1, joinText(1))).toEqual([])
  })

  it.each([
    ['another version', [joinText(1).replace('"version":1', '"version":9')], 'version'],
    ['a relay before joining', [relayText(1)], 'not-joined'],
    ['a second join', [joinText(1), joinText(2)], 'already-joined'],
  ])('refuses %s', (_name, texts, code) => {
    const scene = new Scene()
    scene.step({ kind: 'opened', socket: 1 })
    const told = texts.map((text) => scene.text(1, text)).at(-1)
    expect(told).toEqual([`1 < error ${code}`, `close 1 ${code}`])
  })

  it('is full at its bounds: members, rooms, sockets', () => {
    const members = new Scene({ membersPerRoomMax: 1 })
    members.join(1)
    expect(members.join(2)).toEqual(['2 < error room-full', 'close 2 room-full'])
    const rooms = new Scene({ roomsMax: 1 })
    rooms.join(1)
    expect(rooms.join(2, ROOM_B)).toEqual(['2 < error rooms-full', 'close 2 rooms-full'])
    const sockets = new Scene({ socketsMax: 1 })
    sockets.join(1)
    expect(sockets.step({ kind: 'opened', socket: 2 })).toEqual([
      '2 < error sockets-full',
      'close 2 sockets-full',
    ])
  })

  it('lets a known peer back into a full room', () => {
    const scene = new Scene({ membersPerRoomMax: 2 })
    scene.join(1)
    scene.join(2)
    scene.step({ kind: 'opened', socket: 12 })
    expect(scene.text(12, joinText(2))).toContain('12 < 1#1 2#2')
  })

  it('closes a socket that joins no room in time', () => {
    const scene = new Scene()
    scene.step({ kind: 'opened', socket: 1 })
    scene.nowMs = SIGNAL_LIMITS.joinTimeoutMs - 1
    expect(scene.step({ kind: 'tick' })).toEqual([])
    scene.nowMs++
    expect(scene.step({ kind: 'tick' })).toEqual(['1 < error join-timeout', 'close 1 join-timeout'])
  })

  it('drops messages beyond the rate, tells once, and closes who does not stop', () => {
    const scene = new Scene({ messageBurst: 3, messagesPerSecond: 1, strikesMax: 2 })
    scene.join(1)
    const ping = '{"type":"ping"}'
    expect([scene.text(1, ping), scene.text(1, ping)]).toEqual([['1 < pong'], ['1 < pong']])
    expect(scene.text(1, ping)).toEqual(['1 < error too-fast'])
    scene.nowMs = 1000
    expect(scene.text(1, ping)).toEqual(['1 < pong'])
    expect(scene.text(1, ping)).toEqual([])
    expect(scene.text(1, ping)).toEqual(['1 < error too-fast', 'close 1 too-fast'])
  })

  it('keeps a slow receiver from costing memory: the sender hears, then the receiver goes', () => {
    const scene = new Scene({ relayQueueBytesMax: 200, queueBytesMax: 400 })
    scene.join(1)
    scene.join(2)
    const drained = (bytes: number): string[] => scene.step({ kind: 'drained', socket: 2, bytes })
    drained(10_000)
    expect(scene.text(1, relayText(2, 'A'.repeat(100)))).toHaveLength(1)
    expect(scene.text(1, relayText(2, 'A'.repeat(100)))).toEqual(['1 < error busy'])
    drained(10_000)
    expect(scene.text(1, relayText(2, 'A'.repeat(100)))[0]).toMatch(/^2 < from 1/)
    const told = [3, 4, 5, 6].flatMap((n) => scene.join(n))
    expect(told).toContain('close 2 too-slow')
  })
})

describe('whatever comes in', () => {
  const small: SignalLimits = {
    ...SIGNAL_LIMITS,
    socketsMax: 6,
    roomsMax: 2,
    membersPerRoomMax: 3,
    messageBurst: 8,
    messagesPerSecond: 4,
    strikesMax: 4,
    relayQueueBytesMax: 400,
    queueBytesMax: 900,
  }
  const socket = fc.integer({ min: 1, max: 8 })
  const text = fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(ROOM_A, ROOM_B, 'c'.repeat(64)))
      .map(([n, room]) => joinText(n, room)),
    fc.integer({ min: 0, max: 9 }).map((n) => relayText(n, 'A'.repeat(120))),
    fc.constantFrom('{"type":"ping"}', '{"type":"leave"}'),
    fc.string({ maxLength: 20 }),
    fc.json({ maxDepth: 2 }),
  )
  const input: fc.Arbitrary<RoomInput> = fc.oneof(
    fc.record({ kind: fc.constant('opened' as const), socket }),
    fc.record({ kind: fc.constant('text' as const), socket, text }),
    fc.record({ kind: fc.constant('drained' as const), socket, bytes: fc.nat(500) }),
    fc.record({ kind: fc.constant('closed' as const), socket, clean: fc.boolean() }),
    fc.constant({ kind: 'tick' as const }),
  )

  it('nothing throws, every limit holds, and lists are what sockets were told', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.nat(2000)), { maxLength: 120 }), (inputs) => {
        const broker = new RoomBroker(small)
        const queued = new Map<number, number>()
        const live = new Set<number>()
        let nowMs = 0
        for (const [one, passedMs] of inputs) {
          nowMs += passedMs
          // As the server does: a socket opens once and its number never comes again alive.
          if (one.kind === 'opened' && live.has(one.socket)) continue
          if (one.kind === 'opened' && broker.socketCount < small.socketsMax) {
            live.add(one.socket)
            queued.set(one.socket, 0)
          }
          if (one.kind === 'closed') live.delete(one.socket)
          if (one.kind === 'drained' && queued.has(one.socket)) {
            queued.set(one.socket, Math.max(0, (queued.get(one.socket) ?? 0) - one.bytes))
          }
          for (const output of broker.step(one, nowMs)) {
            if (output.kind === 'close') {
              live.delete(output.socket)
              continue
            }
            const message = parseServerMessage(output.text)
            expect(message).not.toBeNull()
            if (message?.type === 'peers') {
              expect(message.peers.length).toBeLessThanOrEqual(small.membersPerRoomMax)
              const orders = message.peers.map((peer) => peer.order)
              expect(new Set(orders).size).toBe(orders.length)
            }
            if (!live.has(output.socket)) continue
            const bytes = (queued.get(output.socket) ?? 0) + output.text.length
            queued.set(output.socket, bytes)
            expect(bytes).toBeLessThanOrEqual(small.queueBytesMax)
          }
          expect(broker.socketCount).toBe(live.size)
          expect(broker.socketCount).toBeLessThanOrEqual(small.socketsMax)
          expect(broker.roomCount).toBeLessThanOrEqual(small.roomsMax)
        }
        for (const one of live) broker.step({ kind: 'closed', socket: one, clean: true }, nowMs)
        expect([broker.socketCount, broker.roomCount]).toEqual([0, 0])
      }),
      { numRuns: 300 },
    )
  })
})
