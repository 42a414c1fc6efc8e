/** Plain numbers and byte strings of a flight recording, little end first. */
import { decodeUtf8, encodeUtf8 } from '../../core/base/utf8.ts'

/** What was read is no flight recording, or a damaged one. */
export class FlightFormatError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FlightFormatError'
  }
}

/** Writes into memory of a fixed size; whoever writes has counted before. */
export class FlightWriter {
  readonly bytes: Uint8Array
  readonly #view: DataView
  length = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.#view = new DataView(this.bytes.buffer)
  }

  u8(n: number): void {
    this.bytes[this.length++] = n
  }

  i16(n: number): void {
    this.#view.setInt16(this.length, n, true)
    this.length += 2
  }

  u32(n: number): void {
    this.#view.setUint32(this.length, n, true)
    this.length += 4
  }

  f64(n: number): void {
    this.#view.setFloat64(this.length, n, true)
    this.length += 8
  }

  i64(n: bigint): void {
    this.#view.setBigInt64(this.length, n, true)
    this.length += 8
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Returns where the bytes themselves begin. */
  blob(bytes: Uint8Array): number {
    this.u32(bytes.length)
    const at = this.length
    this.raw(bytes)
    return at
  }

  text(text: string): void {
    this.blob(encodeUtf8(text))
  }

  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

/** Throws FlightFormatError before anything is allocated from a length that cannot be. */
export class FlightReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get at(): number {
    return this.#at
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  blob(): Uint8Array {
    return this.raw(this.u32())
  }

  text(): string {
    return decodeUtf8(this.blob())
  }

  /** A number of items of at least `itemBytes` each. */
  count(itemBytes: number): number {
    const count = this.u32()
    if (count * itemBytes > this.#bytes.length - this.#at) {
      throw new FlightFormatError(`${count} items at byte ${this.#at} of ${this.#bytes.length}`)
    }
    return count
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) {
      throw new FlightFormatError(
        `the recording ends at byte ${this.#bytes.length}, ${length} more are due at byte ${at}`,
      )
    }
    this.#at = at + length
    return at
  }
}
