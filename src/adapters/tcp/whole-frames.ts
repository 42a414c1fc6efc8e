/** Cuts a byte stream into messages of whole frames, length words included (W1, W5). */
import { EMPTY_BYTES } from '../../core/base/bytes.ts'
import { JUTE_MAX_BUFFER } from '../../core/jute/framing.ts'
import { JuteError } from '../../core/jute/jute-error.ts'

const LENGTH_BYTES = 4

export class WholeFrames {
  readonly #maxFrameBytes: number
  /** An incomplete frame: the first `#held` bytes count. Ours, never a view of what came in. */
  #buffer: Uint8Array = EMPTY_BYTES
  #held = 0

  constructor(maxFrameBytes: number = JUTE_MAX_BUFFER) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Everything that is complete now, at most two messages: the frame that had begun, and the whole
   * frames of the chunk as a view of it. Throws JuteError for a length that no frame has.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    let at = 0
    while (this.#held > 0 && at < chunk.length) {
      const wanted = this.#held < LENGTH_BYTES ? LENGTH_BYTES : this.#frameEnd(this.#buffer, 0)
      const part = chunk.subarray(at, at + wanted - this.#held)
      this.#hold(part)
      at += part.length
      if (this.#held >= LENGTH_BYTES && this.#held === this.#frameEnd(this.#buffer, 0)) {
        messages.push(this.#buffer.subarray(0, this.#held))
        this.#buffer = EMPTY_BYTES
        this.#held = 0
      }
    }
    if (this.#held > 0) return messages
    let end = at
    while (chunk.length - end >= LENGTH_BYTES) {
      const next = this.#frameEnd(chunk, end)
      if (next > chunk.length) break
      end = next
    }
    if (end > at) messages.push(chunk.subarray(at, end))
    if (end < chunk.length) this.#hold(chunk.subarray(end))
    return messages
  }

  #frameEnd(bytes: Uint8Array, at: number): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(0)
    if (length < 0 || length > this.#maxFrameBytes) {
      throw new JuteError(`frame of ${length} bytes, at most ${this.#maxFrameBytes}`)
    }
    return at + LENGTH_BYTES + length
  }

  /** Grows as bytes really come: a length word alone must not make us allocate. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#held + bytes.length
    if (needed > this.#buffer.length) {
      const wider = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
      wider.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = wider
    }
    this.#buffer.set(bytes, this.#held)
    this.#held = needed
  }
}
