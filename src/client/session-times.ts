/** The time-outs of a session, all derived from one number (S26–S28). */

import { PING_INTERVAL_MAX_MS } from './limits.ts'

export class SessionTimes {
  readonly sessionTimeoutMs: number

  /** With the wanted time-out before the first session, with the negotiated one after. */
  constructor(sessionTimeoutMs: number) {
    this.sessionTimeoutMs = sessionTimeoutMs
  }

  /** Nothing heard for that long: try another server. */
  get readTimeoutMs(): number {
    return Math.floor((this.sessionTimeoutMs * 2) / 3)
  }

  /** No server heard for that long: the session is lost, whatever a server may say. */
  get expirationMs(): number {
    return Math.floor((this.sessionTimeoutMs * 4) / 3)
  }

  connectTimeoutMs(hosts: number): number {
    return Math.floor(this.sessionTimeoutMs / Math.max(1, hosts))
  }

  /** ≤ 0: a ping is due. One second early, so that a second ping has its chance (ClientCnxn). */
  untilPingMs(idleSendMs: number): number {
    if (idleSendMs > PING_INTERVAL_MAX_MS) return 0
    const early = idleSendMs > 1000 ? 1000 : 0
    return Math.floor(this.readTimeoutMs / 2) - idleSendMs - early
  }
}
