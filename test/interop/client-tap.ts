/** Names the frames between a client and a server by the operation they belong to. */

import { opName, OpCode, SpecialXid } from '../../src/core/jute/op-code.ts'
import { replyHeaderRecord, requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import type { Frame } from './frame-file.ts'
import type { Tap } from './recording-proxy.ts'
import { FrameSplitter } from '../core/jute/frame-splitter.ts'

/** Pings are all alike: two of them are enough. */
const PINGS_KEPT = 2

export class ClientTap implements Tap {
  readonly #frames: Frame[]
  readonly #requests = new FrameSplitter()
  readonly #replies = new FrameSplitter()
  /** Operations that wait for their answer, in order (W17). */
  readonly #pending: number[] = []
  #connectSeen = false
  #connected = false
  #pings = 0

  /** Appends to `frames`. */
  constructor(frames: Frame[]) {
    this.#frames = frames
  }

  onInitiator(chunk: Uint8Array): void {
    for (const bytes of this.#requests.push(chunk)) {
      if (!this.#connectSeen) {
        this.#connectSeen = true
        this.#keep('client', 'connect', bytes)
        continue
      }
      const { xid, type } = requestHeaderRecord.read(new JuteReader(bytes))
      if (xid >= 0) this.#pending.push(type)
      this.#keep('client', opName(type), bytes)
    }
  }

  onAcceptor(chunk: Uint8Array): void {
    for (const bytes of this.#replies.push(chunk)) {
      if (!this.#connected) {
        this.#connected = true
        this.#keep('server', 'connect', bytes)
        continue
      }
      this.#keep('server', this.#answered(bytes), bytes)
    }
  }

  #answered(bytes: Uint8Array): string {
    const { xid } = replyHeaderRecord.read(new JuteReader(bytes))
    switch (xid) {
      case SpecialXid.notification:
        return opName(OpCode.notification)
      case SpecialXid.ping:
        return opName(OpCode.ping)
      case SpecialXid.auth:
        return opName(OpCode.auth)
      case SpecialXid.setWatches:
        return opName(OpCode.setWatches)
      default:
        return opName(this.#pending.shift() ?? NaN)
    }
  }

  #keep(from: string, what: string, bytes: Uint8Array): void {
    if (what === 'ping' && from === 'client' && ++this.#pings > PINGS_KEPT) return
    if (what === 'ping' && from === 'server' && this.#pings > PINGS_KEPT) return
    this.#frames.push({ from, what, bytes: bytes.slice() })
  }
}
