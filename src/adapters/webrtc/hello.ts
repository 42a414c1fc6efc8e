/**
 * The first message of a handshake. Bytes of the other side: every field is bounded, and nothing is
 * believed before the proof that covers these very bytes is verified.
 */

import { toHex } from '../../core/base/bytes.ts'
import { sha256 } from '../../core/base/sha256.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { JuteReader } from '../../core/jute/reader.ts'
import { JuteWriter, writeUstring } from '../../core/jute/writer.ts'
import { FOUNDING_MAX_BYTES, HELLO_CHAIN_MAX, HELLO_TEXT_MAX } from './limits.ts'

/** Versions of the handshake, the frames and the packets behind it that this build speaks. */
export const LINK_PROTOCOL_MIN = 1
export const LINK_PROTOCOL_MAX = 1
export const NONCE_BYTES = 16
/** An uncompressed point of P-256. */
const PUBLIC_KEY_BYTES = 65
const INCARNATION = /^[0-9a-f]{32,64}$/
const ROOM_ID = /^[0-9a-f]{64}$/

/** What a member says of itself. */
export interface HelloFields {
  /** Hash of the public key in hex, whole or its first 32 digits or more. */
  readonly incarnation: string
  /** Raw, 65 bytes. */
  readonly publicKey: Uint8Array
  readonly clusterId: string | null
  readonly foundingRecord: Uint8Array | null
  readonly startChain: readonly string[]
  /** It keeps no storage and will never be a member. */
  readonly isClient?: boolean
  /** A process of Node, not a tab; for people. */
  readonly isNode?: boolean
}

export interface Hello extends HelloFields {
  readonly protocolMin: number
  readonly protocolMax: number
  /** Build id, for people. */
  readonly build: string
  readonly room: string
  readonly nonce: Uint8Array
}

export function encodeHello(hello: Hello): Uint8Array {
  const w = new JuteWriter()
  w.int(hello.protocolMin)
  w.int(hello.protocolMax)
  w.ustring(hello.build.slice(0, HELLO_TEXT_MAX))
  w.ustring(hello.room)
  w.buffer(hello.nonce)
  w.ustring(hello.incarnation)
  w.buffer(hello.publicKey)
  w.ustring(hello.clusterId)
  w.buffer(hello.foundingRecord)
  w.vector(hello.startChain.slice(-HELLO_CHAIN_MAX), writeUstring)
  // Left out where it says nothing new: older builds write none.
  if (hello.isClient === true || hello.isNode === true) w.bool(hello.isClient === true)
  if (hello.isNode === true) w.bool(true)
  return w.finish()
}

/**
 * null when malformed. Fields of later versions may follow the known ones; the versions come first
 * and keep their place for ever.
 */
export function decodeHello(bytes: Uint8Array): Hello | null {
  try {
    const r = new JuteReader(bytes, { maxBuffer: FOUNDING_MAX_BYTES })
    const hello: Hello = {
      protocolMin: r.int(),
      protocolMax: r.int(),
      build: text(r.string('build')),
      room: r.string('room'),
      nonce: copy(r.buffer()),
      incarnation: r.string('incarnation'),
      publicKey: copy(r.buffer()),
      clusterId: optionalText(r.ustring()),
      foundingRecord: optionalCopy(r.buffer()),
      startChain: r.list('start chain', (item) => text(item.string('token'))),
      ...(r.atEnd || !r.bool() ? {} : { isClient: true }),
      ...(r.atEnd || !r.bool() ? {} : { isNode: true }),
    }
    return isSound(hello) ? hello : null
  } catch (error) {
    if (error instanceof JuteError) return null
    throw error
  }
}

/** The incarnation is the hash of the key, so nobody can claim another's. */
export function isIncarnationOf(incarnation: string, publicKey: Uint8Array): boolean {
  return INCARNATION.test(incarnation) && toHex(sha256(publicKey)).startsWith(incarnation)
}

function isSound(hello: Hello): boolean {
  return (
    hello.protocolMin >= 0 &&
    hello.protocolMax >= hello.protocolMin &&
    ROOM_ID.test(hello.room) &&
    hello.nonce.length === NONCE_BYTES &&
    hello.publicKey.length === PUBLIC_KEY_BYTES &&
    hello.startChain.length <= HELLO_CHAIN_MAX
  )
}

function text(value: string): string {
  if (value.length > HELLO_TEXT_MAX) throw new JuteError(`text of ${value.length} characters`)
  return value
}

function optionalText(value: string | null): string | null {
  return value === null ? null : text(value)
}

/** Out of the message, which would else live as long as the field. */
function copy(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new JuteError('bytes are null')
  return bytes.slice()
}

function optionalCopy(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : bytes.slice()
}
