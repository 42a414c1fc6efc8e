/** Quorum packets as bytes (Q24), and the pulses of a link. */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { Id } from '../jute/data-records.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType, quorumPacketRecord, type QuorumPacket } from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import { EPOCH_MAX } from './constants.ts'

export function encodePacket(
  type: number,
  zxid: bigint,
  data: Uint8Array | null = null,
  authinfo: readonly Id[] | null = null,
): Uint8Array {
  if (authinfo !== null) return encode(quorumPacketRecord, { type, zxid, data, authinfo })
  // Straight into place: this runs for every proposal, ack and commit.
  bareView.setInt32(0, type)
  bareView.setBigInt64(4, zxid)
  if (data === null) return new Uint8Array(bareBytes)
  const { length } = data
  const bytes = new Uint8Array(BARE_PACKET_BYTES + length)
  bytes.set(bareBytes)
  const view = new DataView(bytes.buffer)
  view.setInt32(12, length)
  bytes.set(data, 16)
  view.setInt32(16 + length, -1)
  return bytes
}

/** type i32 · zxid i64 · no data (-1) · no authinfo (-1) */
export const BARE_PACKET_BYTES = 20
/**
 * Scratch for one call. Engines keep an array so short among their objects unless its buffer is
 * asked for: a view of its own makes an ack some fifteen times as expensive.
 */
const bareBytes: Uint8Array = new Uint8Array(BARE_PACKET_BYTES).fill(0xff)
const bareView: DataView = new DataView(bareBytes.buffer)

/** Throws JuteError. The data is a view of `bytes`. */
export function decodePacket(bytes: Uint8Array): QuorumPacket {
  return decode(quorumPacketRecord, bytes)
}

/** A zxid that some member may really have; throws JuteError for others. */
export function checkedZxid(zxid: bigint): Zxid {
  if (zxid < 0n || zxid >> 32n > BigInt(EPOCH_MAX)) throw new JuteError(`zxid ${zxid}`)
  return zxid as Zxid
}

/** `next` directly behind `previous`: one more, or the first of a later epoch (Q37). */
export function isNext(previous: Zxid, next: Zxid): boolean {
  if (next >> 32n === previous >> 32n) return next === previous + 1n
  return next > previous && (next & 0xffff_ffffn) === 1n
}

export const PulseKind = {
  /** Asks for an answer; the value comes back in it. */
  PING: 1,
  PONG: 2,
  /** Conversation `value` is over on this side: what a closed socket says in ZooKeeper. */
  END: 3,
} as const

export interface Pulse {
  readonly kind: number
  /** PING, PONG: the pinger's elapsed ms, opaque to the other side. END: the conversation. */
  readonly value: number
}

/** kind u8 · value f64 */
const PULSE_BYTES = 9
/** Scratch for one call, as above: most of what members say to each other are pulses. */
const pulseBytes: Uint8Array = new Uint8Array(PULSE_BYTES)
const pulseView: DataView = new DataView(pulseBytes.buffer)

export function encodePulse(kind: number, value: number): Uint8Array {
  pulseView.setUint8(0, kind)
  pulseView.setFloat64(1, value)
  return new Uint8Array(pulseBytes)
}

/** Throws JuteError. */
export function decodePulse(bytes: Uint8Array): Pulse {
  if (bytes.length !== PULSE_BYTES) throw new JuteError(`pulse of ${bytes.length} bytes`)
  pulseBytes.set(bytes)
  return { kind: pulseView.getUint8(0), value: pulseView.getFloat64(1) }
}

/** How a member is called where people read it. */
export function machine(sid: ServerId | number): string {
  return `machine ${sid}`
}

/** The zxid of a learner's REQUEST or REVALIDATE where it does not count them. */
export const UNCOUNTED = -1n

/** Touched sessions, which travel as PING, may come twice or late. */
export function isCounted(type: number): boolean {
  return type === PacketType.REQUEST || type === PacketType.REVALIDATE
}
