/**
 * Takes out of a recording what applications store and who their users are: data of nodes, in
 * requests, transactions and snapshots, and passwords. Paths, sessions and times stay.
 *
 * In place, length for length, so that all frames and offsets stay as they are and the machine goes
 * the same way through a replay.
 */
import { forwardedRequestRecord, PacketType } from '../../core/jute/quorum-records.ts'
import { splitFrames } from '../../core/jute/framing.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { multiRequestRecord, type MultiOp } from '../../core/jute/multi.ts'
import { OpCode } from '../../core/jute/op-code.ts'
import {
  createRequestRecord,
  createTTLRequestRecord,
  setDataRequestRecord,
} from '../../core/jute/proto-records.ts'
import { decode } from '../../core/jute/record.ts'
import { authPacketRecord } from '../../core/jute/session-records.ts'
import { decodeTxn, type SimpleTxn } from '../../core/jute/txn.ts'
import type { ConnectionId, MemberInput } from '../../core/server/effect.ts'
import type { LogEntry, Moment, RecoveredState } from '../../core/zab/effect.ts'
import { decodeFrame } from '../../core/zab/frame.ts'
import { decodePacket } from '../../core/zab/packets.ts'
import { FlightReader } from './flight-bytes.ts'
import { SecretMask } from './mask-secrets.ts'
import { isOwnPath, maskSnapshot } from './mask-snapshot.ts'
import type { ReplayConfig } from './replay-config.ts'
import { readStep } from './step-codec.ts'

const REQUEST_HEADER_BYTES = 8
const TRAILING = { allowTrailing: true } as const
/** Data of INFORMANDACTIVATE before its transaction (Q76). */
const DESIGNATED_LEADER_BYTES = 8

export class FlightMask {
  readonly #mask: SecretMask
  /** Its first message is to come, which begins with a connect request. */
  readonly #fresh = new Set<ConnectionId>()
  /** Chunks of snapshots that have not come to their end, by sender and conversation. */
  readonly #snapshots = new Map<string, Uint8Array[]>()

  /** `salt`: nobody's afterwards. */
  constructor(salt: Uint8Array) {
    this.#mask = new SecretMask(salt)
  }

  /** First for every segment: passwords, so that what they lead to is known wherever it stands. */
  learn(segment: Uint8Array, start: Moment): void {
    forEachInput(segment, start, (input) => {
      if (input.kind !== 'client-data') return
      for (const { type, body } of requestsIn(input.bytes)) {
        if (type !== OpCode.auth) continue
        const { auth } = decode(authPacketRecord, body, TRAILING)
        if (auth !== null) this.#mask.learn(auth)
      }
    })
  }

  /** Then every segment, in order. */
  apply(segment: Uint8Array, start: Moment): void {
    forEachInput(segment, start, (input) => this.#input(input))
    this.#mask.ids(segment)
  }

  /** At last: of a snapshot without an end nobody can tell what is in it. */
  finish(): void {
    for (const chunks of this.#snapshots.values()) for (const chunk of chunks) chunk.fill(0)
  }

  /** A masked copy. */
  recovered(state: RecoveredState): RecoveredState {
    const { snapshot } = state
    const chunks = snapshot?.chunks.map((chunk) => chunk.slice()) ?? []
    const log = state.log.map(({ zxid, entry }) => ({ zxid, entry: entry.slice() }))
    const copy = {
      ...state,
      snapshot: snapshot === null ? null : { zxid: snapshot.zxid, chunks },
      log,
    }
    this.#recovered(copy)
    for (const { entry } of log) this.#mask.ids(entry)
    return copy
  }

  /** The hash of the super user's password is one, too. */
  config(config: ReplayConfig): ReplayConfig {
    const { superDigest } = config
    return superDigest === undefined
      ? config
      : { ...config, superDigest: this.#mask.id(superDigest) }
  }

  #input(input: MemberInput): void {
    if (input.kind === 'client-open') this.#fresh.add(input.connection)
    else if (input.kind === 'frame') this.#frame(input.peer, input.bytes)
    else if (input.kind === 'truncated') this.#recovered(input.recovered)
    else if (input.kind === 'log-read') this.#entries(input.range?.entries ?? [])
    else if (input.kind === 'replace-state') maskSnapshot(input.chunks, this.#mask)
    else if (input.kind === 'client-data') {
      const isFirst = this.#fresh.delete(input.connection)
      for (const { type, body } of requestsIn(input.bytes).slice(isFirst ? 1 : 0)) {
        attempt(body, () => this.#request(type, body))
      }
    }
  }

  #recovered({ snapshot, log }: RecoveredState): void {
    if (snapshot !== null) maskSnapshot(snapshot.chunks, this.#mask)
    this.#entries(log)
  }

  #entries(entries: readonly LogEntry[]): void {
    for (const { entry } of entries) attempt(entry, () => this.#entry(entry))
  }

  #frame(peer: number, bytes: Uint8Array): void {
    attempt(bytes, () => {
      const { lane, conversation, packets } = decodeFrame(bytes)
      if (lane !== 'stream' && lane !== 'request') return
      for (const packet of packets) this.#packet(`${peer} ${conversation}`, packet)
    })
  }

  #packet(from: string, bytes: Uint8Array): void {
    const { type, zxid, data } = decodePacket(bytes)
    switch (type) {
      case PacketType.PROPOSAL:
      case PacketType.INFORM:
        if (data !== null) attempt(data, () => this.#entry(data))
        break
      case PacketType.INFORMANDACTIVATE: {
        const entry = data?.subarray(DESIGNATED_LEADER_BYTES)
        if (entry !== undefined) attempt(entry, () => this.#entry(entry))
        break
      }
      case PacketType.REQUEST: {
        if (data === null) break
        const { type: operation, request } = decode(forwardedRequestRecord, data)
        attempt(request, () => this.#request(operation, request))
        break
      }
      case PacketType.SNAP:
        this.#snap(from, zxid, data)
        break
      default:
        break
    }
  }

  /** Without data it begins, then come chunks, then −1 with a signature (Q33). */
  #snap(from: string, zxid: bigint, data: Uint8Array | null): void {
    if (data === null) {
      for (const chunk of this.#snapshots.get(from) ?? []) chunk.fill(0)
      this.#snapshots.set(from, [])
    } else if (zxid !== -1n) {
      // One that began before the ring does: never to be read again, and not to be read by anybody.
      const chunks = this.#snapshots.get(from)
      if (chunks === undefined) data.fill(0)
      else chunks.push(data)
    } else {
      const chunks = this.#snapshots.get(from)
      this.#snapshots.delete(from)
      if (chunks !== undefined) maskSnapshot(chunks, this.#mask)
    }
  }

  /** Throws JuteError. */
  #entry(bytes: Uint8Array): void {
    const { txn } = decodeTxn(bytes)
    for (const one of txn.kind === 'multi' ? txn.txns : [txn]) this.#txn(one)
  }

  #txn(txn: SimpleTxn): void {
    if ('data' in txn && !isOwnPath(txn.path)) this.#mask.payload(txn.data)
  }

  /** Throws JuteError. */
  #request(type: number, body: Uint8Array): void {
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
        return this.#payload(decode(createRequestRecord, body, TRAILING))
      case OpCode.createTTL:
        return this.#payload(decode(createTTLRequestRecord, body, TRAILING))
      case OpCode.setData:
        return this.#payload(decode(setDataRequestRecord, body, TRAILING))
      case OpCode.multi:
        return this.#multi(decode(multiRequestRecord, body, TRAILING))
      default:
        break
    }
  }

  #multi(operations: readonly MultiOp[]): void {
    for (const { request } of operations) if ('data' in request) this.#payload(request)
  }

  #payload({ path, data }: { readonly path: string; readonly data: Uint8Array | null }): void {
    if (!isOwnPath(path)) this.#mask.payload(data)
  }
}

interface ClientRequest {
  readonly type: number
  readonly body: Uint8Array
}

/** Bodies are views. A connect request reads as some request, too: the caller knows better. */
function requestsIn(message: Uint8Array): ClientRequest[] {
  let frames: readonly Uint8Array[] = []
  attempt(message, () => {
    frames = splitFrames(message)
  })
  return frames
    .filter((frame) => frame.length >= REQUEST_HEADER_BYTES)
    .map((frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset, REQUEST_HEADER_BYTES)
      return { type: view.getInt32(4), body: frame.subarray(REQUEST_HEADER_BYTES) }
    })
}

function forEachInput(segment: Uint8Array, start: Moment, run: (input: MemberInput) => void): void {
  const r = new FlightReader(segment)
  while (!r.atEnd) run(readStep(r, start).input)
}

/** What cannot be understood may hold anything: it becomes zeros. A member refuses it, too. */
function attempt(bytes: Uint8Array, run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
    bytes.fill(0)
  }
}
