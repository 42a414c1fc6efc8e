/** How many answers a connection still owes, from the frames that pass on it. */
import { JuteError } from '../core/jute/jute-error.ts'
import { splitFrames } from '../core/jute/framing.ts'
import { SpecialXid } from '../core/jute/op-code.ts'
import { REPLY_FRAME_MAX_BYTES } from '../client/limits.ts'

export class CallCounter {
  #waiting = 0
  /** The first frame each way opens the session: it has no header. */
  #hasAsked = false
  #hasSession = false

  get waiting(): number {
    return this.#waiting
  }

  /** A new connection, or none. */
  opened(): void {
    this.#waiting = 0
    this.#hasAsked = false
    this.#hasSession = false
  }

  /** True where it is something that the program did or is told: not a heartbeat. */
  passed(way: 'in' | 'out', bytes: Uint8Array): boolean {
    let isNews = false
    for (const xid of xidsIn(bytes)) {
      if (way === 'out' ? !this.#hasAsked : !this.#hasSession) {
        if (way === 'out') this.#hasAsked = true
        else this.#hasSession = true
        continue
      }
      if (xid === SpecialXid.ping) continue
      isNews = true
      if (way === 'out') this.#waiting++
      else if (xid !== SpecialXid.notification) this.#waiting--
    }
    return isNews
  }
}

function xidsIn(bytes: Uint8Array): number[] {
  try {
    return splitFrames(bytes, REPLY_FRAME_MAX_BYTES).map((payload) => {
      return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getInt32(0)
    })
  } catch (error) {
    if (error instanceof JuteError) return []
    throw error
  }
}
