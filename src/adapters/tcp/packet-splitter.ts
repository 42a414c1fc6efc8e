/**
 * Cuts the stream of a quorum connection into packets. ZooKeeper puts no lengths there: where a
 * QuorumPacket ends is known by reading it (Q24).
 */
import { concat, EMPTY_BYTES } from '../../core/base/bytes.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { PEER_PACKET_MAX_BYTES } from '../../core/zab/constants.ts'

/** type i32 · zxid i64 */
const HEAD_BYTES = 12
const LENGTH_BYTES = 4
/** Identities of one client. Ours: far more than a client has schemes. */
const IDENTITIES_MAX = 1024

export class PacketSplitter {
  readonly #bytesMax: number
  #bytes: Uint8Array = EMPTY_BYTES
  /** What came behind them, joined when a packet may be whole: joining each costs its square. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  /** Nothing is a whole packet before so many bytes: what is known of its length. */
  #wanted = 0

  constructor(packetBytesMax: number = PEER_PACKET_MAX_BYTES) {
    this.#bytesMax = packetBytesMax
  }

  push(chunk: Uint8Array): void {
    this.#parts.push(chunk)
    this.#partBytes += chunk.length
  }

  /** The next whole packet, or null. Throws JuteError for what no packet is. */
  next(): Uint8Array | null {
    if (this.#bytes.length + this.#partBytes < this.#wanted) return null
    this.#join()
    const end = this.#packetEnd()
    if (end > this.#bytesMax) throw new JuteError(`packet of ${end} bytes`)
    if (end > this.#bytes.length) {
      this.#wanted = end
      return null
    }
    const packet = this.#bytes.subarray(0, end)
    this.#bytes = this.#bytes.subarray(end)
    this.#wanted = 0
    return packet
  }

  /** Everything behind the packets that were taken: it is no packet. */
  takeRest(): Uint8Array {
    this.#join()
    const rest = this.#bytes
    this.#bytes = EMPTY_BYTES
    this.#wanted = 0
    return rest
  }

  #join(): void {
    const [first] = this.#parts
    if (first === undefined) return
    const isAll = this.#bytes.length === 0 && this.#parts.length === 1
    this.#bytes = isAll ? first : concat([this.#bytes, ...this.#parts])
    this.#parts = []
    this.#partBytes = 0
  }

  /** Where the first packet ends; when that is not known yet, how far must be read to know more. */
  #packetEnd(): number {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
    let at = HEAD_BYTES
    const skipBuffer = (): boolean => {
      if (view.byteLength < at + LENGTH_BYTES) {
        at += LENGTH_BYTES
        return false
      }
      const length = view.getInt32(at)
      if (length < -1 || length > this.#bytesMax) throw new JuteError(`field of ${length}`)
      at += LENGTH_BYTES + Math.max(0, length)
      return at <= view.byteLength
    }
    if (!skipBuffer()) return at
    if (view.byteLength < at + LENGTH_BYTES) return at + LENGTH_BYTES
    const identities = view.getInt32(at)
    if (identities < -1 || identities > IDENTITIES_MAX) {
      throw new JuteError(`${identities} identities`)
    }
    at += LENGTH_BYTES
    for (let left = 2 * identities; left > 0; left--) if (!skipBuffer()) return at
    return at
  }
}
