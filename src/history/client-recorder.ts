/**
 * Writes down what one client handle does, from the bytes on its connections: of our client, of
 * ZooKeeper's own, or of any other whose xids grow through a session. Messages hold whole
 * length-prefixed frames. Frames that no record fits are left out: judging is for what is known.
 */
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  requestHeaderRecord,
  watcherEventRecord,
} from '../core/jute/connect-records.ts'
import { splitFrames } from '../core/jute/framing.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { OpCode, SpecialXid } from '../core/jute/op-code.ts'
import { JuteReader } from '../core/jute/reader.ts'
import { setWatches2Record, setWatchesRecord } from '../core/jute/session-records.ts'
import type { SentWatches } from './history-events.ts'
import type { Call } from './operation.ts'
import type { ClientEvent, RecordedEvent } from './recording.ts'
import { readCall, readOutcome } from './wire.ts'

/** Longer frames are no client's. */
const MAX_FRAME_BYTES: number = 64 * 1024 * 1024

interface Waiting {
  readonly xid: number
  readonly type: number
  readonly call: Call
  readonly session: bigint
}

interface Sent {
  readonly data: string[]
  readonly exist: string[]
  readonly child: string[]
}

/** For one client number; one connection after the other. */
export class ClientRecorder {
  readonly client: number
  readonly #record: (event: RecordedEvent) => void
  #session = 0n
  #server = 0
  #state: 'closed' | 'connecting' | 'connected' = 'closed'
  #hasAsked = false
  #askedForNew = true
  #isReadOnly = false
  /** Sent before the session was known, as Java does (W57). */
  #early: Uint8Array[] = []
  #waiting: Waiting[] = []
  #sent: Sent = { data: [], exist: [], child: [] }
  /** Batches of watches that wait for their answer; null once they are told of. */
  #batches: number | null = null

  constructor(client: number, record: (event: RecordedEvent) => void) {
    this.client = client
    this.#record = record
  }

  /** A connection to this member stands; 0 where nobody knows which. */
  opened(server: number): void {
    this.#server = server
    this.#state = 'connecting'
    this.#hasAsked = false
    this.#early = []
    this.#sent = { data: [], exist: [], child: [] }
    this.#batches = 0
  }

  sent(message: Uint8Array, atMs: number): void {
    for (const payload of splitFrames(message, MAX_FRAME_BYTES)) {
      const copy = payload.slice()
      if (!this.#hasAsked) this.#onAsk(copy)
      else if (this.#state === 'connecting') this.#early.push(copy)
      else this.#guarded(() => this.#onRequest(copy, atMs))
    }
  }

  received(message: Uint8Array, atMs: number): void {
    for (const payload of splitFrames(message, MAX_FRAME_BYTES)) {
      const copy = payload.slice()
      if (this.#state === 'connecting') this.#guarded(() => this.#onConnect(copy, atMs))
      else if (this.#state === 'connected') this.#guarded(() => this.#onReply(copy, atMs))
    }
  }

  closed(reason: string, atMs: number): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const waiting = this.#waiting
    this.#waiting = []
    for (const { session, xid } of waiting) this.#tell(atMs, { kind: 'lost', session, xid })
    this.#tell(atMs, { kind: 'disconnected', reason })
  }

  #tell(atMs: number, event: ClientEvent): void {
    this.#record({ ...event, client: this.client, atMs })
  }

  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
    }
  }

  #onAsk(payload: Uint8Array): void {
    this.#hasAsked = true
    this.#guarded(() => {
      this.#askedForNew = connectRequestRecord.read(new JuteReader(payload)).sessionId === 0n
    })
  }

  #onConnect(payload: Uint8Array, atMs: number): void {
    const answer = connectResponseRecord.read(new JuteReader(payload))
    const { timeOut, sessionId } = answer
    if (timeOut <= 0) {
      this.#tell(atMs, { kind: 'expired', session: this.#session })
      this.#session = 0n
      return
    }
    const isNew = this.#askedForNew || sessionId !== this.#session
    this.#session = sessionId
    this.#isReadOnly = answer.readOnly === true
    this.#state = 'connected'
    this.#tell(atMs, { kind: 'connected', session: sessionId, server: this.#server, isNew })
    const early = this.#early
    this.#early = []
    for (const each of early) this.#guarded(() => this.#onRequest(each, atMs))
  }

  #onRequest(payload: Uint8Array, atMs: number): void {
    const r = new JuteReader(payload)
    const header = requestHeaderRecord.read(r)
    if (header.xid === SpecialXid.setWatches) {
      const { dataWatches, existWatches, childWatches } =
        header.type === OpCode.setWatches2 ? setWatches2Record.read(r) : setWatchesRecord.read(r)
      this.#sent.data.push(...dataWatches)
      this.#sent.exist.push(...existWatches)
      this.#sent.child.push(...childWatches)
      if (this.#batches !== null) this.#batches++
      return
    }
    if (header.xid === SpecialXid.ping || header.xid === SpecialXid.auth) return
    // Whoever asks something else first has no watches to send.
    if (this.#batches === 0) this.#watchesSet(0n, atMs)
    const call = readCall(header, r)
    const { xid, type } = header
    const session = this.#session
    this.#waiting.push({ xid, type, call, session })
    this.#tell(atMs, { kind: 'call', session, xid, call })
  }

  #onReply(payload: Uint8Array, atMs: number): void {
    const r = new JuteReader(payload)
    const header = replyHeaderRecord.read(r)
    const { xid, zxid } = header
    if (xid === SpecialXid.notification) {
      const { type, path } = watcherEventRecord.read(r)
      // Events of the session's own state are no watch's.
      if (type > 0) this.#tell(atMs, { kind: 'event', session: this.#session, zxid, type, path })
    } else if (xid === SpecialXid.setWatches) {
      if (this.#batches !== null && --this.#batches === 0) this.#watchesSet(zxid, atMs)
    } else if (xid !== SpecialXid.ping && xid !== SpecialXid.auth) {
      const at = this.#waiting.findIndex((each) => each.xid === xid)
      const [asked] = at < 0 ? [] : this.#waiting.splice(at, 1)
      if (asked === undefined) return
      const read = readOutcome(asked.type, header, r, atMs, this.#server)
      const outcome = this.#isReadOnly ? ({ ...read, isReadOnly: true } as const) : read
      this.#tell(atMs, { kind: 'answer', session: asked.session, xid, outcome })
    }
  }

  #watchesSet(zxid: bigint, atMs: number): void {
    this.#batches = null
    const sent: SentWatches = this.#sent
    this.#tell(atMs, { kind: 'watches-set', zxid, sent })
  }
}
