/** What pages of the browser mesh, brokers and people with recordings hand each other. */
import { ClientMux } from '../../src/adapters/webrtc/client-mux.ts'
import { decodeHello, encodeHello, type Hello } from '../../src/adapters/webrtc/hello.ts'
import { decodeMeshSignal, encodeMeshSignal } from '../../src/adapters/webrtc/mesh-signal.ts'
import { cutMessage, PieceError, PieceJoiner } from '../../src/adapters/webrtc/piece.ts'
import { concat } from '../../src/core/base/bytes.ts'
import { makeZxid, toServerId } from '../../src/core/base/zxid.ts'
import {
  CLUSTER_ID_BYTES,
  encodeFoundingRecord,
  parseFoundingRecord,
  sealFoundingRecord,
  SESSION_KEY_BYTES,
} from '../../src/core/founding/founding-record.ts'
import { incarnationOf } from '../../src/core/founding/key-names.ts'
import type { MemberInput } from '../../src/core/server/effect.ts'
import type { Moment } from '../../src/core/zab/effect.ts'
import type { Link } from '../../src/ports/link.ts'
import { FlightFormatError } from '../../src/runtime/flight/flight-bytes.ts'
import { flightBytes, flightSteps, readFlight } from '../../src/runtime/flight/flight-file.ts'
import { FlightRecorder } from '../../src/runtime/flight/flight-recorder.ts'
import { decodePageMessage, encodePageMessage } from '../../src/runtime/page-message.ts'
import { parseClientMessage, parseServerMessage } from '../../src/signaling/protocol.ts'
import { parseRoomLink, RoomLinkError } from '../../src/signaling/room-link.ts'
import { configOf } from '../runtime/bench.ts'
import { decoder, textReader } from './byte-targets.ts'
import { snapshots, transactions as logged } from './corpus.ts'
import type { Target } from './target.ts'

const HEX_32 = 'ab'.repeat(16)
const HEX_64 = 'cd'.repeat(32)
const ID_BYTES = 5

export function meshTargets(): Target[] {
  return [
    decoder('hello', 2, [encodeHello(HELLO)], decodeHello),
    decoder('message in pieces', 2, [new Uint8Array(90), ...cutMessage(new Uint8Array(9))], join, [
      PieceError,
    ]),
    decoder('mesh signal', 2, MESH_SIGNALS.map(encodeMeshSignal), decodeMeshSignal),
    decoder('clients over a link', 4, muxFrames(), hearAll),
    decoder('page message', 2, pageMessages(), decodePageMessage),
    decoder('founding record', 2, [foundingRecord()], parseFoundingRecord),
    decoder('flight recording', 2, [flight()], readWhole, [FlightFormatError]),
    textReader('message to a broker', 2, TO_BROKER, parseClientMessage),
    textReader('message of a broker', 2, OF_BROKER, parseServerMessage),
    textReader('link of a room', 2, LINKS, parseRoomLink, [RoomLinkError]),
  ]
}

const HELLO: Hello = {
  protocolMin: 1,
  protocolMax: 1,
  build: 'test',
  room: HEX_64,
  nonce: new Uint8Array(16),
  incarnation: HEX_32,
  publicKey: new Uint8Array(65).fill(4),
  clusterId: HEX_32,
  foundingRecord: new Uint8Array(20),
  startChain: ['1.a', '2.b'],
  isClient: true,
  isNode: true,
}

const MESH_SIGNALS = [
  { kind: 'ask', attempt: 1, part: 'voter' },
  { kind: 'refuse', attempt: 2, reason: 'no' },
  { kind: 'rtc', attempt: 3, signal: { kind: 'offer', sdp: 'v=0' } },
] as unknown as Parameters<typeof encodeMeshSignal>[0][]

const TO_BROKER = [
  { type: 'join', version: 1, room: HEX_64, token: HEX_32 },
  { type: 'relay', to: HEX_32, body: 'AAAA' },
  { type: 'leave' },
  { type: 'ping' },
].map((message) => JSON.stringify(message))

const OF_BROKER = [
  { type: 'peers', peers: [HEX_32] },
  { type: 'relay', from: HEX_32, body: 'AAAA' },
  { type: 'gone', peer: HEX_32, reason: 'left' },
  { type: 'error', code: 'room-full', message: 'x' },
  { type: 'pong' },
].map((message) => JSON.stringify(message))

const LINKS = [
  'https://host.example/page?room=name&size=3#secretsecretsecret.abcdef12.abcdef12',
  '?room=ünï&size=9#0123456789%20',
  'http://[::1]:8080/?room=a#b',
]

/** A piece begins where the byte says how long it is. */
function join(bytes: Uint8Array): void {
  const joiner = new PieceJoiner(200)
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + ((bytes[at] ?? 0) % 40)
    joiner.push(bytes.subarray(at + 1, end + 1))
    at = end + 1
  }
}

/** Frames of kind, id and a byte that says how long the rest is. */
function muxFrames(): Uint8Array[] {
  const frame = (kind: number, id: number, rest: readonly number[]): Uint8Array =>
    Uint8Array.from([ID_BYTES + rest.length, kind, 0, 0, 0, id, ...rest])
  const [open, data, close, credit] = [1, 2, 3, 4]
  return [
    concat([frame(open, 1, [7]), frame(data, 1, [1, 2]), frame(credit, 1, [0, 0, 0, 9])]),
    concat([frame(open, 1, []), frame(data, 1, [1]), frame(close, 1, [0x78])]),
    concat([frame(data | 0x80, 1, [1]), frame(credit | 0x80, 1, [0, 0, 0, 1])]),
  ]
}

function hearAll(bytes: Uint8Array): void {
  const closed: string[] = []
  const link: Link = {
    bufferedBytes: 0,
    send: () => undefined,
    close: (reason) => void closed.push(reason),
    onMessage: () => undefined,
    onWritable: () => undefined,
    onClose: () => undefined,
  }
  const mux = new ClientMux(link)
  mux.open().onMessage = () => undefined
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + (bytes[at] ?? 0)
    link.onMessage(bytes.subarray(at + 1, end))
    if (closed.length > 0) return
    at = end
  }
}

function pageMessages(): Uint8Array[] {
  const grant = { sid: toServerId(4), sessionBase: 5n }
  return [
    encodePageMessage({ kind: 'observe' }),
    encodePageMessage({ kind: 'grant', grant }),
    encodePageMessage({ kind: 'observing', grant }),
    encodePageMessage({ kind: 'place-lost', grant }),
    encodePageMessage({ kind: 'no-place', reason: 'full' }),
  ]
}

function foundingRecord(): Uint8Array {
  const members = [1, 2, 3].map((sid) => {
    const publicKey = new Uint8Array(65).fill(sid)
    return { sid: toServerId(sid), incarnation: incarnationOf(publicKey), publicKey }
  })
  const body = encodeFoundingRecord({
    clusterId: new Uint8Array(CLUSTER_ID_BYTES),
    room: HEX_64,
    size: members.length,
    sessionKey: new Uint8Array(SESSION_KEY_BYTES),
    creatorKey: new Uint8Array(65).fill(1),
    members,
    origin: makeZxid(1, 2),
  })
  return sealFoundingRecord(body, new Uint8Array(64))
}

/** One of every input that a member hears of often. */
function flight(): Uint8Array {
  const at: Moment = { elapsedMs: 1_000, wallMs: 1_700_000_000_000 }
  const log = logged().map((entry, i) => ({ zxid: makeZxid(0, i + 1), entry }))
  const snapshot = { zxid: makeZxid(0, 0), chunks: snapshots().slice(0, 1) }
  const recovered = { acceptedEpoch: 1, currentEpoch: 1, snapshot, log }
  const recorder = new FlightRecorder(configOf(1, 3), recovered, at, [])
  const peer = toServerId(2)
  const inputs: readonly MemberInput[] = [
    { kind: 'link-up', peer },
    { kind: 'frame', peer, bytes: new Uint8Array(9) },
    { kind: 'client-open', connection: 1, address: '::1' },
    { kind: 'client-data', connection: 1, bytes: new Uint8Array(48) },
    { kind: 'client-data', connection: 1, bytes: new Uint8Array(12) },
    { kind: 'tick', oldestAppendAgeMs: 3 },
    { kind: 'persisted', mark: 4 },
    { kind: 'client-closed', connection: 1 },
    { kind: 'link-down', peer, reason: 'gone' },
  ]
  for (const input of inputs) recorder.step(at, input, [])
  return flightBytes({ ...recorder.take(), hasPayloads: true })
}

function readWhole(bytes: Uint8Array): void {
  for (const step of flightSteps(readFlight(bytes))) void step
}
