/**
 * End-to-end sealing of what passes through the broker (design §5b), with Web Crypto.
 *
 * Both the room id and the key come from the room secret and the room name by HKDF, so another
 * secret is another room and unreadable as well, and the broker, which sees the room id, learns
 * neither. An envelope is AES-GCM with
 *
 *   additional data = room id | from | to | sequence
 *
 * where `from` and `to` are peer ids: random nonces of one page life each. So an envelope holds
 * between these two page lives only, in this direction, and a replay into another one, a swap of
 * sender and receiver, or an edit of any byte is refused.
 *
 * Order: the sequence of each (from, to) must strictly grow. The window for reordering is zero: one
 * broker keeps order, and from one that does not, the older message is refused. Gaps are allowed,
 * as messages may be lost; so one counter serves all receivers.
 *
 * Layout: version u8 | sequence u48 | iv (12) | ciphertext and tag (16).
 */

import { concat, toHex } from '../core/base/bytes.ts'
import { encodeUtf8 } from '../core/base/utf8.ts'
import type { PeerId } from '../ports/signaling.ts'
import { isWeakSecret } from './room-link.ts'

const ENVELOPE_VERSION = 1
const SEQUENCE_BYTES = 6
const IV_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + SEQUENCE_BYTES + IV_BYTES
/**
 * Senders whose last sequence is remembered. A page life of a room meets far fewer; when it does
 * not, the longest silent one is forgotten, and what a broker could then replay is an offer of a
 * page that is gone.
 */
const SENDERS_REMEMBERED_MAX = 4096
/**
 * A secret typed by hand is stretched first, as the broker sees a hash of it and may guess: some
 * 50 ms of a page's start against a dictionary. A made secret needs none.
 */
const WEAK_SECRET_ITERATIONS = 100_000

export type EnvelopeErrorCode = 'insecure-context' | 'malformed' | 'forged' | 'replayed'

export class EnvelopeError extends Error {
  readonly code: EnvelopeErrorCode
  constructor(code: EnvelopeErrorCode, message: string) {
    super(message)
    this.name = 'EnvelopeError'
    this.code = code
  }
}

export interface RoomKeys {
  /** 64 hex digits, safe to tell the broker. */
  readonly roomId: string
  readonly key: CryptoKey
}

export async function deriveRoomKeys(room: string, secret: string): Promise<RoomKeys> {
  // Without a secure context the property is absent, whatever its type says.
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle
  if (subtle === undefined) {
    throw new EnvelopeError(
      'insecure-context',
      'This page is not in a secure context: open it over https or from localhost.',
    )
  }
  const salt = encode(`zabra room ${room}`)
  const input = isWeakSecret(secret) ? await stretch(subtle, secret, salt) : encode(secret)
  const material = await subtle.importKey('raw', input, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const id = await subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt, info: encode('room id') },
    material,
    256,
  )
  const key = await subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: encode('envelope key') },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
  return { roomId: toHex(new Uint8Array(id)), key }
}

async function stretch(
  subtle: SubtleCrypto,
  secret: string,
  salt: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  const weak = await subtle.importKey('raw', encode(secret), 'PBKDF2', false, ['deriveBits'])
  const iterations = WEAK_SECRET_ITERATIONS
  return subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, weak, 256)
}

/** Seals and opens for one page life. Calls must be made in the order of the messages. */
export class Envelope {
  readonly #keys: RoomKeys
  readonly #self: PeerId
  #sent = 0
  readonly #received: Map<PeerId, number> = new Map()

  constructor(keys: RoomKeys, self: PeerId) {
    this.#keys = keys
    this.#self = self
  }

  async seal(to: PeerId, message: Uint8Array): Promise<Uint8Array> {
    const sequence = ++this.#sent
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const sealed = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData: this.#additional(this.#self, to, sequence) },
      this.#keys.key,
      new Uint8Array(message),
    )
    const head = new Uint8Array(1 + SEQUENCE_BYTES)
    head[0] = ENVELOPE_VERSION
    writeSequence(head, sequence)
    return concat([head, iv, new Uint8Array(sealed)])
  }

  /** Rejects with EnvelopeError. */
  async open(from: PeerId, envelope: Uint8Array): Promise<Uint8Array> {
    if (envelope.length < HEAD_BYTES + TAG_BYTES || envelope[0] !== ENVELOPE_VERSION) {
      throw new EnvelopeError('malformed', `not an envelope: ${envelope.length} bytes`)
    }
    const bytes = new Uint8Array(envelope)
    const sequence = readSequence(bytes)
    const iv = bytes.subarray(1 + SEQUENCE_BYTES, HEAD_BYTES)
    let message: ArrayBuffer
    try {
      message = await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv, additionalData: this.#additional(from, this.#self, sequence) },
        this.#keys.key,
        bytes.subarray(HEAD_BYTES),
      )
    } catch {
      throw new EnvelopeError('forged', 'an envelope was altered, or is for somebody else')
    }
    // Judged after it proved genuine: else a forged number would shut out the true sender.
    if (sequence <= (this.#received.get(from) ?? 0)) {
      throw new EnvelopeError('replayed', `envelope ${sequence} came again or too late`)
    }
    this.#remember(from, sequence)
    return new Uint8Array(message)
  }

  #remember(from: PeerId, sequence: number): void {
    this.#received.delete(from)
    this.#received.set(from, sequence)
    if (this.#received.size <= SENDERS_REMEMBERED_MAX) return
    const oldest = this.#received.keys().next()
    if (oldest.done !== true) this.#received.delete(oldest.value)
  }

  #additional(from: PeerId, to: PeerId, sequence: number): Uint8Array<ArrayBuffer> {
    return encode(`${this.#keys.roomId}|${from}|${to}|${sequence}`)
  }
}

function writeSequence(head: Uint8Array, sequence: number): void {
  const view = new DataView(head.buffer, head.byteOffset)
  view.setUint16(1, Math.floor(sequence / 0x1_0000_0000))
  view.setUint32(3, sequence >>> 0)
}

function readSequence(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return view.getUint16(1) * 0x1_0000_0000 + view.getUint32(3)
}

/** Web Crypto's types want bytes over an ArrayBuffer of their own. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeUtf8(text))
}
