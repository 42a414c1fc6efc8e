/** The auth infos of a handle: sent again on every connection, answered in order (S34). */

import { OpCode, SpecialXid } from '../core/jute/op-code.ts'
import { encodeWith } from '../core/jute/record.ts'
import { writeAuthPacket } from '../core/jute/session-records.ts'
import { AUTH_INFOS_MAX } from './limits.ts'
import { frameMessage } from './request-queue.ts'
import type { AuthInfo } from './session-protocol.ts'

export class AuthBook {
  readonly #infos: AuthInfo[] = []
  /** Sent on this connection and not answered yet. */
  #awaited: AuthInfo[] = []
  /** Ids whose caller still waits. */
  readonly #unsettled = new Set<number>()

  /** false: there are too many already. */
  remember(info: AuthInfo): boolean {
    if (this.#infos.length >= AUTH_INFOS_MAX) return false
    this.#infos.push(info)
    this.#unsettled.add(info.id)
    return true
  }

  /** The message that tells the server of one. */
  messageFor(info: AuthInfo): Uint8Array {
    this.#awaited.push(info)
    const body = encodeWith(writeAuthPacket, { type: 0, scheme: info.scheme, auth: info.auth })
    return frameMessage(SpecialXid.auth, OpCode.auth, body)
  }

  /** The messages with which a new connection begins. */
  messages(): Uint8Array[] {
    this.#awaited = []
    return this.#infos.map((info) => this.messageFor(info))
  }

  /** The id that the next answer settles; null when its caller knows already. */
  answered(): number | null {
    const info = this.#awaited.shift()
    return info !== undefined && this.#unsettled.delete(info.id) ? info.id : null
  }

  connectionLost(): void {
    this.#awaited = []
  }

  /** Ids whose caller will hear no answer. */
  end(): number[] {
    const ids = [...this.#unsettled]
    this.#unsettled.clear()
    return ids
  }
}
