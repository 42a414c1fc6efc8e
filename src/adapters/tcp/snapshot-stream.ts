/**
 * A snapshot between the core's numbered chunks of a snapshot file and ZooKeeper's stream: header
 * and seals stay at home, and the signature is a string of the stream (Q33).
 */
import { adler32 } from '../../core/base/adler32.ts'
import { concat, EMPTY_BYTES } from '../../core/base/bytes.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { PacketType } from '../../core/jute/quorum-records.ts'
import { JuteWriter } from '../../core/jute/writer.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../core/zab/effect.ts'
import { encodePacket } from '../../core/zab/packets.ts'
import { SnapshotBody } from './snapshot-body.ts'

/** "ZKSN", version 2, database −1 (P11). */
const HEADER = writeHeader()
const DIGEST_VERSION = 2
const END_PATH = '/'

/** The leader's side. */
export class OutgoingSnapshot {
  readonly #body = new SnapshotBody()
  #headerLeft = HEADER.length

  /** What of this chunk goes on the wire. Throws JuteError for what is no snapshot. */
  push(chunk: Uint8Array): Uint8Array {
    const begin = Math.min(this.#headerLeft, chunk.length)
    this.#headerLeft -= begin
    const rest = chunk.subarray(begin)
    return rest.subarray(0, this.#body.push(rest))
  }
}

/** The learner's side: bytes in, packets of the core out, until `isDone`. */
export class IncomingSnapshot {
  readonly #zxid: bigint
  readonly #signature: Uint8Array
  readonly #body = new SnapshotBody()
  #sum = adler32(HEADER)
  #parts: Uint8Array[] = [HEADER]
  #partBytes = HEADER.length
  #index = 0
  #trailer: Uint8Array = EMPTY_BYTES
  #isDone = false
  #emittedBytes = 0

  constructor(zxid: bigint, signature: Uint8Array) {
    this.#zxid = zxid
    this.#signature = signature
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** Bytes of the core's chunks so far: what its credits count. */
  get emittedBytes(): number {
    return this.#emittedBytes
  }

  /**
   * Packets for the core, and how many of the bytes belonged to the snapshot and its signature.
   * Throws JuteError for what no snapshot is.
   */
  push(bytes: Uint8Array): { packets: Uint8Array[]; used: number } {
    const packets: Uint8Array[] = []
    let used = 0
    if (!this.#body.isDone) {
      used = this.#body.push(bytes)
      const part = bytes.subarray(0, used)
      this.#sum = adler32(part, this.#sum)
      this.#collect(part, packets)
      if (this.#body.isDone) this.#seal(packets)
    }
    if (this.#body.isDone) used += this.#sign(bytes.subarray(used), packets)
    return { packets, used }
  }

  #collect(part: Uint8Array, packets: Uint8Array[]): void {
    this.#parts.push(part)
    this.#partBytes += part.length
    if (this.#partBytes < SNAPSHOT_CHUNK_BYTES) return
    const all = concat(this.#parts)
    let at = 0
    for (; all.length - at >= SNAPSHOT_CHUNK_BYTES; at += SNAPSHOT_CHUNK_BYTES) {
      packets.push(this.#chunk(all.subarray(at, at + SNAPSHOT_CHUNK_BYTES)))
    }
    this.#parts = [all.slice(at)]
    this.#partBytes = all.length - at
  }

  #chunk(bytes: Uint8Array): Uint8Array {
    this.#emittedBytes += bytes.length
    return encodePacket(PacketType.SNAP, BigInt(this.#index++), bytes)
  }

  /** The seal, and the blocks behind it as they are where no digest is known. */
  #seal(packets: Uint8Array[]): void {
    let sum = this.#sum
    const seal = (block: (w: JuteWriter) => void): void => {
      const w = new JuteWriter()
      block(w)
      const bytes = w.finish()
      sum = adler32(bytes, sum)
      const sealed = new JuteWriter()
      sealed.longNumber(sum)
      sealed.ustring(END_PATH)
      const end = sealed.finish()
      this.#collect(concat([bytes, end]), packets)
      sum = adler32(end, sum)
    }
    seal(() => undefined)
    seal((w) => {
      w.long(0n)
      w.int(DIGEST_VERSION)
      w.long(0n)
    })
    seal((w) => w.long(this.#zxid))
    const last = concat(this.#parts)
    if (last.length > 0) packets.push(this.#chunk(last))
    this.#parts = []
  }

  /** The string of the stream becomes the core's last packet. */
  #sign(bytes: Uint8Array, packets: Uint8Array[]): number {
    const expected = signatureString(this.#signature)
    const taken = bytes.subarray(0, expected.length - this.#trailer.length)
    this.#trailer = concat([this.#trailer, taken])
    if (this.#trailer.some((byte, i) => byte !== expected[i])) {
      throw new JuteError('snapshot without signature')
    }
    if (this.#trailer.length === expected.length) {
      this.#isDone = true
      packets.push(encodePacket(PacketType.SNAP, -1n, this.#signature))
    }
    return taken.length
  }
}

export function signatureString(signature: Uint8Array): Uint8Array {
  const w = new JuteWriter()
  w.buffer(signature)
  return w.finish()
}

function writeHeader(): Uint8Array {
  const w = new JuteWriter()
  w.int(0x5a4b534e)
  w.int(2)
  w.long(-1n)
  return w.finish()
}
