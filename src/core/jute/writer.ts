/**
 * Writes Jute's primitive types (W2–W4) into one growing buffer.
 *
 * A value that does not fit its type is a programmer's error and asserts; only running into the
 * size bound is a JuteError, since requests decide how long an answer gets.
 */

import { assert } from '../base/assert.ts'
import { utf8Length, writeUtf8 } from '../base/utf8.ts'
import { JuteError } from './jute-error.ts'

/** What one writer may hold, in bytes. Ours: a getChildren answer has no other bound (D42). */
export const JUTE_MAX_WRITTEN: number = 64 * 1024 * 1024

/** Below this a loop is faster than making a view, bytes. */
const SHORT_COPY_BYTES = 48
/** A scratch writer that grew beyond this is given back to the collector, bytes. */
const SCRATCH_BYTES_MAX = 64 * 1024

export class JuteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0
  readonly #maxBytes: number

  constructor(initialCapacity = 128, maxBytes: number = JUTE_MAX_WRITTEN) {
    this.#bytes = new Uint8Array(initialCapacity)
    this.#view = new DataView(this.#bytes.buffer)
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  int(n: number): void {
    // The test first: making the message of an assertion would cost more than the write itself.
    if ((n | 0) !== n) assert(false, `${n} is no int`)
    const at = this.#reserve(4)
    this.#view.setInt32(at, n)
  }

  long(n: bigint): void {
    if (BigInt.asIntN(64, n) !== n) assert(false, `${n} is no long`)
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, n)
  }

  /** A long that is a count or a time in ms, kept as a number. */
  longNumber(n: number): void {
    if (!Number.isSafeInteger(n)) assert(false, `${n} is no safe integer`)
    const at = this.#reserve(8)
    this.#view.setInt32(at, Math.floor(n / 0x1_0000_0000))
    this.#view.setUint32(at + 4, n >>> 0)
  }

  bool(b: boolean): void {
    this.byte(b ? 1 : 0)
  }

  byte(n: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = n
  }

  ustring(text: string | null): void {
    if (text === null) {
      this.int(-1)
      return
    }
    // Three bytes a unit are enough for any text; only where that much is not free, measure it.
    const free = this.#bytes.length - this.#length - 4
    const at = this.#reserve(4 + (3 * text.length <= free ? 3 * text.length : utf8Length(text)))
    const end = writeUtf8(text, this.#bytes, at + 4)
    this.#view.setInt32(at, end - at - 4)
    this.#length = end
  }

  buffer(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.int(-1)
      return
    }
    this.int(bytes.length)
    this.raw(bytes)
  }

  vector<T>(items: readonly T[] | null, write: (w: JuteWriter, item: T) => void): void {
    if (items === null) {
      this.int(-1)
      return
    }
    this.int(items.length)
    for (const item of items) write(this, item)
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** A copy of what was written, exactly as long. The writer may go on or be reset. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** A frame (W1): the length of what `payload` holds, then its bytes, without a copy between. */
  frame(payload: JuteWriter): void {
    const length = payload.#length
    const at = this.#reserve(4 + length)
    this.#view.setInt32(at, length)
    const source = payload.#bytes
    if (length > SHORT_COPY_BYTES) this.#bytes.set(source.subarray(0, length), at + 4)
    else for (let i = 0; i < length; i++) this.#bytes[at + 4 + i] = source[i] as number
  }

  /** Empties the writer and keeps its memory. */
  reset(): void {
    this.#length = 0
  }

  /** Makes room, counts it as written and returns where it starts. */
  #reserve(count: number): number {
    const at = this.#length
    const needed = at + count
    if (needed > this.#bytes.length) this.#grow(needed)
    this.#length = needed
    return at
  }

  #grow(needed: number): void {
    if (needed > this.#maxBytes) {
      throw new JuteError(`record longer than ${this.#maxBytes} bytes`)
    }
    const wider = new Uint8Array(Math.min(Math.max(needed, 2 * this.#bytes.length), this.#maxBytes))
    wider.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = wider
    this.#view = new DataView(wider.buffer)
  }
}

let scratch: JuteWriter | null = null

/**
 * What `write` writes, as bytes of their own. One writer serves all calls, since growing a new one
 * costs more than a short record does; a call inside `write` gets another.
 */
export function writeBytes(write: (w: JuteWriter) => void): Uint8Array {
  const w = scratch ?? new JuteWriter(1024)
  scratch = null
  w.reset()
  write(w)
  if (w.length <= SCRATCH_BYTES_MAX) scratch = w
  return w.finish()
}

/** An item writer for `vector`. */
export function writeUstring(w: JuteWriter, text: string): void {
  w.ustring(text)
}
