/**
 * Reads Jute's primitive types (W2–W4) out of bytes that nobody has checked.
 *
 * Invariants: throws JuteError and nothing else, whatever the bytes; never reads outside them;
 * never
 * allocates more than the bytes at hand can pay for (a count is checked against what remains).
 */

import { decodeUtf8 } from '../base/utf8.ts'
import { JUTE_MAX_BUFFER } from './framing.ts'
import { JuteError } from './jute-error.ts'

/**
 * Longest transaction, in bytes: `jute.maxbuffer` plus extrasize, whose default is the same again.
 * It may have grown over the request that caused it (W6).
 */
export const JUTE_MAX_FIELD: number = 2 * JUTE_MAX_BUFFER

export interface JuteLimits {
  /** Longest single buffer or string, in bytes (W6). */
  readonly maxBuffer: number
}

/** Whoever hands over the bytes has bounded them: frames, packets and log entries have limits. */
const DEFAULT_LIMITS: JuteLimits = { maxBuffer: Infinity }

export class JuteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #maxBuffer: number
  #at = 0

  constructor(bytes: Uint8Array, limits: JuteLimits = DEFAULT_LIMITS) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxBuffer = limits.maxBuffer
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  int(): number {
    return this.#view.getInt32(this.#take(4, 'int'))
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8, 'long'))
  }

  /** A long that must be a safe integer: a count, or a time in ms. */
  longNumber(): number {
    const at = this.#take(8, 'long')
    const n = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(n)) throw new JuteError(`long beyond a safe integer at byte ${at}`)
    return n
  }

  /** As Java's DataInput: any byte but 0 is true. */
  bool(): boolean {
    return this.byte() !== 0
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1, 'byte'))
  }

  ustring(): string | null {
    const bytes = this.#field('string')
    return bytes === null ? null : decodeUtf8(bytes)
  }

  /** A string that must not be null, as ZooKeeper fails on a null path. */
  string(what: string): string {
    return this.ustring() ?? nullField(what)
  }

  /** A VIEW of the input, not a copy: whoever keeps it keeps the whole frame, or copies. */
  buffer(): Uint8Array | null {
    return this.#field('buffer')
  }

  vector<T>(read: (r: JuteReader) => T): T[] | null {
    const count = this.int()
    if (count === -1) return null
    // As ZooKeeper reads it: its loop over items does not begin.
    if (count < 0) return []
    // Every Jute item takes at least one byte, so this also bounds the allocation.
    if (count > this.remaining) {
      throw new JuteError(`vector of ${count} items with ${this.remaining} bytes left`)
    }
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read(this))
    return items
  }

  /** A vector that must not be null. */
  list<T>(what: string, read: (r: JuteReader) => T): T[] {
    return this.vector(read) ?? nullField(what)
  }

  /** `length` bytes without a length before them; a view, not a copy. */
  raw(length: number): Uint8Array {
    const at = this.#take(length, 'bytes')
    return this.#bytes.subarray(at, at + length)
  }

  #field(what: string): Uint8Array | null {
    const length = this.int()
    if (length === -1) return null
    if (length < 0 || length > this.#maxBuffer) {
      throw new JuteError(`${what} of ${length} bytes, at most ${this.#maxBuffer}`)
    }
    return this.raw(length)
  }

  /** Moves on by `length` and returns where it began. */
  #take(length: number, what: string): number {
    const at = this.#at
    if (!(length >= 0 && length <= this.#bytes.length - at)) {
      throw new JuteError(`${what} of ${length} bytes with ${this.remaining} left`)
    }
    this.#at = at + length
    return at
  }
}

/** An item reader for `vector` and `list`. */
export function readUstring(r: JuteReader): string {
  return r.string('list item')
}

function nullField(what: string): never {
  throw new JuteError(`${what} is null`)
}
