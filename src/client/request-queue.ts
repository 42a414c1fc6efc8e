/**
 * Requests of one handle: queued, then in flight in the order of their xids.
 *
 * Invariants: replies come in the order of requests (W17), so `inFlight` is matched from its front
 * only; a settled entry stays there until its reply has come or the connection is gone.
 */

import { Deque } from '../core/base/deque.ts'
import { JuteWriter } from '../core/jute/writer.ts'
import { IN_FLIGHT_MAX, MESSAGE_BYTES_MAX, QUEUED_BYTES_MAX, REQUESTS_MAX } from './limits.ts'
import type { SessionRequest } from './session-protocol.ts'

const XID_MAX = 0x7fff_ffff
const HEADER_BYTES = 8
const LENGTH_BYTES = 4

export interface QueueEntry {
  /** null: a setWatches, which nobody waits for. */
  readonly request: SessionRequest | null
  readonly type: number
  readonly body: Uint8Array
  /** Special for setWatches; 0 until an ordinary request leaves. */
  xid: number
  /** Given up, cancelled or answered: nothing more may be told about it. */
  isSettled: boolean
}

/** The length of the whole frame without its length word. */
export function frameBytes(body: Uint8Array): number {
  return HEADER_BYTES + body.length
}

export class RequestQueue {
  #queued = new Deque<QueueEntry>()
  #queuedBytes = 0
  #inFlight = new Deque<QueueEntry>()
  /** Unsettled entries only. */
  readonly #byId = new Map<number, QueueEntry>()
  /** Empty between calls; growing a new one for each message costs more than filling it. */
  readonly #writer: JuteWriter = new JuteWriter()
  #nextXid: number

  constructor(firstXid: number) {
    this.#nextXid = firstXid
  }

  get isFull(): boolean {
    const count = this.#queued.length + this.#inFlight.length
    return count >= REQUESTS_MAX || this.#queuedBytes >= QUEUED_BYTES_MAX
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0
  }

  push(request: SessionRequest): void {
    const { type, body } = request
    const entry: QueueEntry = { request, type, body, xid: 0, isSettled: false }
    this.#queued.pushBack(entry)
    this.#queuedBytes += body.length
    this.#byId.set(request.id, entry)
  }

  /** Something sent outside of the queue whose answer comes in line with the others. */
  sent(type: number, xid: number, body: Uint8Array): void {
    this.#inFlight.pushBack({ request: null, type, body, xid, isSettled: true })
  }

  /** The request if it was still unsettled. A queued one will not be sent. */
  settle(id: number): { readonly request: SessionRequest; readonly wasSent: boolean } | null {
    const entry = this.#byId.get(id)
    if (entry?.request === undefined || entry.request === null) return null
    this.#byId.delete(id)
    entry.isSettled = true
    return { request: entry.request, wasSent: entry.xid !== 0 }
  }

  /** The entry that the next reply belongs to. */
  answered(): QueueEntry | undefined {
    const entry = this.#inFlight.popFront()
    if (entry?.request) this.#byId.delete(entry.request.id)
    return entry
  }

  /** Forgets what was sent and tells which of it was unsettled, in order. */
  dropInFlight(): SessionRequest[] {
    return this.#drop(this.#inFlight)
  }

  dropQueued(): SessionRequest[] {
    this.#queuedBytes = 0
    return this.#drop(this.#queued)
  }

  /** Unsettled requests whose time is over. */
  overdue(atMs: number): { readonly request: SessionRequest; readonly wasSent: boolean }[] {
    const found: { request: SessionRequest; wasSent: boolean }[] = []
    for (const { request, xid } of this.#byId.values()) {
      if (request === null) continue
      const wasSent = xid !== 0
      const isLate = request.deadlineMs !== null && atMs >= request.deadlineMs
      const unsentDeadlineMs = wasSent ? null : request.unsentDeadlineMs
      if (isLate || (unsentDeadlineMs !== null && atMs >= unsentDeadlineMs)) {
        found.push({ request, wasSent })
      }
    }
    return found
  }

  /** Messages of frames that may leave now. Their requests are in flight from here on. */
  takeMessages(): Uint8Array[] {
    const messages: Uint8Array[] = []
    const writer = this.#writer
    while (this.#inFlight.length < IN_FLIGHT_MAX) {
      const entry = this.#queued.popFront()
      if (entry === undefined) break
      this.#queuedBytes -= entry.body.length
      if (entry.isSettled) continue
      entry.xid = this.#takeXid()
      this.#inFlight.pushBack(entry)
      if (writer.length > 0 && writer.length + entry.body.length > MESSAGE_BYTES_MAX) {
        messages.push(writer.finish())
        writer.reset()
      }
      writeFrame(writer, entry.xid, entry.type, entry.body)
    }
    if (writer.length > 0) messages.push(writer.finish())
    writer.reset()
    return messages
  }

  /** MAX_INT itself is never used (W15). */
  #takeXid(): number {
    if (this.#nextXid >= XID_MAX) this.#nextXid = 1
    return this.#nextXid++
  }

  #drop(entries: Deque<QueueEntry>): SessionRequest[] {
    const unsettled: SessionRequest[] = []
    for (const entry of entries) {
      if (entry.request === null || entry.isSettled) continue
      entry.isSettled = true
      this.#byId.delete(entry.request.id)
      unsettled.push(entry.request)
    }
    entries.clear()
    return unsettled
  }
}

export function writeFrame(w: JuteWriter, xid: number, type: number, body: Uint8Array): void {
  w.int(frameBytes(body))
  w.int(xid)
  w.int(type)
  w.raw(body)
}

export function frameMessage(xid: number, type: number, body: Uint8Array): Uint8Array {
  const w = new JuteWriter(LENGTH_BYTES + frameBytes(body))
  writeFrame(w, xid, type, body)
  return w.finish()
}
