/**
 * What stands in a recording for what applications store: for equal bytes equal ones, of the same
 * length, and nothing leads back without the salt, which is thrown away.
 *
 * Ids of scheme digest hold a hash of a password, and auth packets hold the password itself. Both
 * are replaced such that who was let in still is: the new hash is that of the new password.
 */
import { toBase64 } from '../../core/base/bytes.ts'
import { hmacSha1 } from '../../core/base/sha1.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/base/utf8.ts'
import { digestId } from '../../core/tree/acl.ts'

/** "digest" behind its length, as schemes stand in ids and in auth packets. */
const SCHEME: readonly number[] = [0, 0, 0, 6, ...encodeUtf8('digest')]
const PATTERN_BYTES = 8
/** A password hash, or the bytes of an auth packet, at most. */
const ID_BYTES_MAX = 4096
const COLON = 0x3a

export class SecretMask {
  readonly #salt: Uint8Array
  /** Auth texts and the ids that they bring, and what stands for them; of equal lengths. */
  readonly #known = new Map<string, Uint8Array>()
  /** What was put somewhere already: a snapshot's chunks are met twice. */
  readonly #masked = new Set<string>()

  constructor(salt: Uint8Array) {
    this.#salt = salt
  }

  /** In place. */
  payload(data: Uint8Array | null): void {
    if (data === null || data.length === 0) return
    const pattern = hmacSha1(this.#salt, data)
    for (let i = 0; i < data.length; i++) data[i] = pattern[i % PATTERN_BYTES] as number
  }

  /** An auth packet's 'user:password' was seen: to be called before `ids` meets what it led to. */
  learn(auth: Uint8Array): void {
    const text = decodeUtf8(auth)
    if (this.#known.has(text)) return
    const masked = auth.slice()
    this.#hideSecret(masked)
    this.#known.set(text, masked)
    this.#known.set(digestId(text), encodeUtf8(digestId(decodeUtf8(masked))))
  }

  /** Every id of scheme digest and every auth packet in these bytes, in place. */
  ids(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const last = bytes.length - SCHEME.length - 4
    for (let i = 0; i <= last; i++) {
      // 'd' first: most bytes before it are zeros.
      if (bytes[i + 4] !== 0x64 || !SCHEME.every((byte, k) => bytes[i + k] === byte)) continue
      const at = i + SCHEME.length + 4
      const length = view.getInt32(at - 4)
      if (length <= 0 || length > ID_BYTES_MAX || at + length > bytes.length) continue
      this.#hideId(bytes.subarray(at, at + length))
    }
  }

  id(text: string): string {
    const bytes = encodeUtf8(text)
    this.#hideId(bytes)
    return decodeUtf8(bytes)
  }

  #hideId(id: Uint8Array): void {
    const text = decodeUtf8(id)
    if (this.#masked.has(text)) return
    const known = this.#known.get(text)
    if (known?.length === id.length) id.set(known)
    else this.#hideSecret(id)
    this.#masked.add(decodeUtf8(id))
  }

  /** The part behind the first colon; without one, nobody can tell what is secret: all of it. */
  #hideSecret(id: Uint8Array): void {
    const letters = encodeUtf8(toBase64(hmacSha1(this.#salt, id)).replaceAll('=', 'A'))
    for (let i = id.indexOf(COLON) + 1; i < id.length; i++) {
      id[i] = letters[i % letters.length] as number
    }
  }
}
