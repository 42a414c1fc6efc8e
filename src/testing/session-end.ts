/**
 * What takes a session over and closes it, as whoever has its password may (S18): how an ensemble
 * ends one without waiting for its time-out. Bytes only; who calls has the connection.
 */
import {
  connectRequestRecord,
  connectResponseRecord,
  requestHeaderRecord,
} from '../core/jute/connect-records.ts'
import { frame, splitFrames } from '../core/jute/framing.ts'
import { OpCode } from '../core/jute/op-code.ts'
import { decode, encode } from '../core/jute/record.ts'
import { REPLY_FRAME_MAX_BYTES } from '../client/limits.ts'

/** The handle's own xids begin at 1: a log names a request by session and xid. */
const XID = 0x7fff_fff0

export interface KnownSession {
  readonly id: bigint
  readonly password: Uint8Array
}

export class SessionEnd {
  /** The first frame. */
  readonly hello: Uint8Array
  #isOpen = false

  constructor({ id, password }: KnownSession, timeoutMs: number) {
    this.hello = frame(
      encode(connectRequestRecord, {
        protocolVersion: 0,
        lastZxidSeen: 0n,
        timeOut: timeoutMs,
        sessionId: id,
        passwd: password,
        readOnly: false,
      }),
    )
  }

  /** What to send next; null: the session is closed, or had expired by itself. */
  answer(bytes: Uint8Array): Uint8Array | null {
    for (const payload of splitFrames(bytes, REPLY_FRAME_MAX_BYTES)) {
      if (this.#isOpen || decode(connectResponseRecord, payload).timeOut <= 0) return null
      this.#isOpen = true
    }
    return frame(encode(requestHeaderRecord, { xid: XID, type: OpCode.closeSession }))
  }
}
