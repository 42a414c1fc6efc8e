/**
 * Jute's primitive types out of a list of chunks, with the running Adler-32 that snapshot seals
 * check.
 *
 * The bytes come from disk or from a peer: everything malformed is a JuteError, and nothing is
 * allocated from a length that the remaining bytes cannot pay for.
 */

import { adler32 } from '../base/adler32.ts'
import { decodeUtf8 } from '../base/utf8.ts'
import { JuteError } from '../jute/jute-error.ts'

const ADLER_START = 1

export class ChunkReader {
  readonly #chunks: readonly Uint8Array[]
  #next = 0
  #chunk: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(this.#chunk.buffer)
  #at = 0
  /** Bytes of the current chunk that `#sum` covers. */
  #summed = 0
  #sum = ADLER_START
  /** Bytes in the chunks after the current one. */
  #later = 0

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks
    for (const chunk of chunks) this.#later += chunk.length
  }

  get remaining(): number {
    return this.#chunk.length - this.#at + this.#later
  }

  get atEnd(): boolean {
    return this.remaining === 0
  }

  /** Adler-32 of everything read so far (P11). */
  checksum(): number {
    this.#sum = adler32(this.#chunk.subarray(this.#summed, this.#at), this.#sum)
    this.#summed = this.#at
    return this.#sum
  }

  int(): number {
    if (this.#fits(4)) return this.#view.getInt32(this.#skip(4))
    return viewOf(this.#gather(4)).getInt32(0)
  }

  long(): bigint {
    if (this.#fits(8)) return this.#view.getBigInt64(this.#skip(8))
    return viewOf(this.#gather(8)).getBigInt64(0)
  }

  /** A long that must be a safe integer: a time in ms, a checksum, an index. */
  longNumber(): number {
    const high = this.int()
    const n = high * 0x1_0000_0000 + (this.int() >>> 0)
    if (!Number.isSafeInteger(n)) throw new JuteError('long beyond a safe integer in a snapshot')
    return n
  }

  /** A view of a chunk where it can be: whoever keeps it keeps the chunk, or copies. */
  buffer(): Uint8Array | null {
    const length = this.#length('buffer')
    return length === -1 ? null : this.#take(length)
  }

  ustring(): string {
    const length = this.#length('string')
    if (length === -1) throw new JuteError('null string in a snapshot')
    return decodeUtf8(this.#take(length))
  }

  /** How many items of at least `itemBytes` follow. */
  count(what: string, itemBytes: number): number {
    const count = this.int()
    if (count < 0 || count * itemBytes > this.remaining) {
      throw new JuteError(`${count} ${what} with ${this.remaining} bytes left`)
    }
    return count
  }

  #length(what: string): number {
    const length = this.int()
    if (length < -1 || length > this.remaining) {
      throw new JuteError(`${what} of ${length} bytes with ${this.remaining} left`)
    }
    return length
  }

  /** A view when the bytes lie in one chunk. */
  #take(length: number): Uint8Array {
    if (!this.#fits(length)) return this.#gather(length)
    const at = this.#skip(length)
    return this.#chunk.subarray(at, at + length)
  }

  #fits(length: number): boolean {
    return length <= this.#chunk.length - this.#at
  }

  #skip(length: number): number {
    const at = this.#at
    this.#at = at + length
    return at
  }

  /** Copies bytes that lie across chunks. */
  #gather(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new JuteError(`snapshot ends early: ${length} bytes with ${this.remaining} left`)
    }
    const all = new Uint8Array(length)
    for (let filled = 0; filled < length;) {
      const some = Math.min(length - filled, this.#chunk.length - this.#at)
      const at = this.#skip(some)
      all.set(this.#chunk.subarray(at, at + some), filled)
      filled += some
      if (filled < length) this.#turn()
    }
    return all
  }

  #turn(): void {
    this.checksum()
    const chunk = this.#chunks[this.#next++] ?? new Uint8Array(0)
    this.#later -= chunk.length
    this.#chunk = chunk
    this.#view = viewOf(chunk)
    this.#at = 0
    this.#summed = 0
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
