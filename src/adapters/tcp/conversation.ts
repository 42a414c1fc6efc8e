/**
 * One connection of a learner to its leader's quorum port, at either end: the core's stream of
 * packets on one side, ZooKeeper's bytes on the other. They differ in the snapshot alone, which
 * the core sends in numbered chunks with credits for what is stored, and ZooKeeper as a part of the
 * stream that TCP paces.
 */
import type { Socket } from 'node:net'
import { JuteError } from '../../core/jute/jute-error.ts'
import { PacketType } from '../../core/jute/quorum-records.ts'
import { SNAPSHOT_SIGNATURE } from '../../core/zab/learner-sync.ts'
import { encodePacket } from '../../core/zab/packets.ts'
import { PacketSplitter } from './packet-splitter.ts'
import { SNAPSHOT_AHEAD_BYTES, UNSENT_BYTES_MAX } from './quorum-limits.ts'
import { IncomingSnapshot, OutgoingSnapshot, signatureString } from './snapshot-stream.ts'

export interface ConversationEvents {
  /** Whole packets, as the core reads them. */
  readonly onPackets: (packets: readonly Uint8Array[]) => void
  /** Once. */
  readonly onClose: (reason: string) => void
}

/** type i32 · zxid i64 · length of the data i32 · data */
const DATA_OFFSET = 16

export class Conversation {
  readonly #socket: Socket
  readonly #isLeader: boolean
  readonly #events: ConversationEvents
  readonly #splitter: PacketSplitter
  #outgoing: { readonly body: OutgoingSnapshot; bytes: number } | null = null
  #incoming: IncomingSnapshot | null = null
  #creditedBytes = 0
  /** A fuzzy snapshot may hold what its leader then sends once more (P12). */
  #heldUpTo = -1n
  #isOpen = true
  #reason: string | null = null

  /** The socket is connected. `isLeader`: this end leads. */
  constructor(
    socket: Socket,
    isLeader: boolean,
    events: ConversationEvents,
    packetBytesMax?: number,
  ) {
    this.#splitter = new PacketSplitter(packetBytesMax)
    this.#socket = socket
    this.#isLeader = isLeader
    this.#events = events
    socket.setNoDelay(true)
    socket.on('data', (chunk: Uint8Array) => this.receive(chunk))
    socket.on('error', (error) => {
      this.#reason ??= error.message
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  send(packets: readonly Uint8Array[]): void {
    if (!this.#isOpen) return
    this.#socket.cork()
    for (const packet of packets) {
      if (typeOf(packet) !== PacketType.SNAP) this.#socket.write(packet)
      else if (this.#isLeader) this.#sendSnapshot(packet)
      else this.#onCredit(zxidOf(packet))
    }
    this.#socket.uncork()
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) this.#fail('the other side does not read')
  }

  /** What was sent leaves first. */
  end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#socket.end()
    this.#socket.resume()
    const cut = setTimeout(() => this.#socket.destroy(), 1_000)
    this.#socket.once('close', () => clearTimeout(cut))
  }

  destroy(): void {
    this.#isOpen = false
    this.#socket.destroy()
  }

  /** For bytes that were read before this was made, too. */
  receive(chunk: Uint8Array): void {
    if (!this.#isOpen) return
    const packets: Uint8Array[] = []
    let failure: string | null = null
    try {
      // Plain bytes: Node's Buffer shares memory where `slice` should copy.
      this.#split(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength), packets)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      failure = error.message
    }
    if (packets.length > 0) this.#events.onPackets(packets)
    if (failure !== null) this.#fail(failure)
  }

  #split(chunk: Uint8Array, packets: Uint8Array[]): void {
    let rest = chunk
    for (;;) {
      if (this.#incoming !== null) {
        rest = this.#readSnapshot(this.#incoming, rest, packets)
        if (this.#incoming !== null) return
      }
      this.#splitter.push(rest)
      if (this.#takePackets(packets)) return
      rest = this.#splitter.takeRest()
    }
  }

  /** false: what follows is a snapshot. */
  #takePackets(packets: Uint8Array[]): boolean {
    for (;;) {
      const packet = this.#splitter.next()
      if (packet === null) return true
      const type = typeOf(packet)
      if (this.#isLeader && type === PacketType.SNAP) throw new JuteError('SNAP to a leader')
      if (this.#isRepeated(type, packet)) continue
      packets.push(packet)
      if (type !== PacketType.SNAP) continue
      const zxid = zxidOf(packet)
      this.#incoming = new IncomingSnapshot(zxid, SNAPSHOT_SIGNATURE)
      this.#creditedBytes = 0
      this.#heldUpTo = zxid
      return false
    }
  }

  #isRepeated(type: number, packet: Uint8Array): boolean {
    const brings =
      type === PacketType.PROPOSAL || type === PacketType.COMMIT || type === PacketType.INFORM
    return brings && zxidOf(packet) <= this.#heldUpTo
  }

  #readSnapshot(snapshot: IncomingSnapshot, bytes: Uint8Array, to: Uint8Array[]): Uint8Array {
    const { packets, used } = snapshot.push(bytes)
    to.push(...packets)
    if (snapshot.isDone) {
      this.#incoming = null
      this.#socket.resume()
    } else if (snapshot.emittedBytes - this.#creditedBytes > SNAPSHOT_AHEAD_BYTES) {
      this.#socket.pause()
    }
    return bytes.subarray(used)
  }

  /** The learner's core has stored so many bytes. ZooKeeper's leader wants no word of it. */
  #onCredit(bytes: bigint): void {
    this.#creditedBytes = Number(bytes)
    const snapshot = this.#incoming
    if (snapshot === null || snapshot.emittedBytes - this.#creditedBytes > SNAPSHOT_AHEAD_BYTES) {
      return
    }
    this.#socket.resume()
  }

  /** The core's chunks, numbered in zxid; −1 stands at their end. */
  #sendSnapshot(packet: Uint8Array): void {
    if (this.#outgoing === null) {
      this.#outgoing = { body: new OutgoingSnapshot(), bytes: 0 }
      this.#socket.write(packet)
      return
    }
    if (zxidOf(packet) === -1n) {
      this.#outgoing = null
      this.#socket.write(signatureString(SNAPSHOT_SIGNATURE))
      return
    }
    const chunk = dataOf(packet)
    this.#outgoing.bytes += chunk.length
    const { bytes } = this.#outgoing
    // What the system took counts as stored: from there on TCP paces us.
    this.#socket.write(this.#outgoing.body.push(chunk), () => {
      if (this.#isOpen) this.#events.onPackets([encodePacket(PacketType.SNAP, BigInt(bytes))])
    })
  }

  #fail(reason: string): void {
    this.#reason ??= reason
    this.#socket.destroy()
  }

  #closed(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#events.onClose(this.#reason ?? 'the connection was closed')
  }
}

export function typeOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getInt32(0)
}

function zxidOf(packet: Uint8Array): bigint {
  return new DataView(packet.buffer, packet.byteOffset).getBigInt64(4)
}

/** Our own packet: it has data. */
function dataOf(packet: Uint8Array): Uint8Array {
  const length = new DataView(packet.buffer, packet.byteOffset).getInt32(DATA_OFFSET - 4)
  return packet.subarray(DATA_OFFSET, DATA_OFFSET + length)
}
