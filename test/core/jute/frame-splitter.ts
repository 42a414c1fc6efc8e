/** A byte stream as payloads, for tests that read a socket. */
import { WholeFrames } from '../../../src/adapters/tcp/whole-frames.ts'
import { JUTE_MAX_BUFFER, splitFrames } from '../../../src/core/jute/framing.ts'

export class FrameSplitter {
  readonly #frames: WholeFrames
  readonly #bytesMax: number

  constructor(bytesMax: number = JUTE_MAX_BUFFER) {
    this.#frames = new WholeFrames(bytesMax)
    this.#bytesMax = bytesMax
  }

  push(chunk: Uint8Array): Uint8Array[] {
    return this.#frames.push(chunk).flatMap((message) => splitFrames(message, this.#bytesMax))
  }
}
