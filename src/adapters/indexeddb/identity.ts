/**
 * A member's identity: a signing key that never leaves its database.
 *
 * ECDSA on P-256, made by Web Crypto, the private half non-extractable. The incarnation, which
 * names the member everywhere, is the first 16 bytes of the SHA-256 of the raw public key, in hex:
 * 128 bits, so nobody finds a second key with the same name. Needs a secure context (localhost or
 * https).
 */
import { toHex } from '../../core/base/bytes.ts'
import { sha256 } from '../../core/base/sha256.ts'
import { StorageError } from '../../ports/storage.ts'
import type { KeyPair } from './schema.ts'

const KEY_ALGORITHM: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE_ALGORITHM: EcdsaParams = { name: 'ECDSA', hash: 'SHA-256' }

/** An uncompressed point: 0x04, x, y. */
export const PUBLIC_KEY_BYTES = 65
/** r and s, 32 bytes each (IEEE P1363). */
export const SIGNATURE_BYTES = 64
const INCARNATION_BYTES = 16

export function incarnationOfKey(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey).subarray(0, INCARNATION_BYTES))
}

export async function generateKeys(): Promise<KeyPair> {
  assertSecureContext()
  const pair = await crypto.subtle.generateKey(KEY_ALGORITHM, false, ['sign', 'verify'])
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return { privateKey: pair.privateKey, publicKey }
}

export async function signWith(privateKey: CryptoKey, bytes: Uint8Array): Promise<Uint8Array> {
  const signature = await crypto.subtle.sign(SIGNATURE_ALGORITHM, privateKey, owned(bytes))
  return new Uint8Array(signature)
}

/** False for anything that is no valid signature, a malformed key included. Never rejects. */
export async function verify(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  try {
    const raw = owned(publicKey)
    const key = await crypto.subtle.importKey('raw', raw, KEY_ALGORITHM, false, ['verify'])
    return await crypto.subtle.verify(SIGNATURE_ALGORITHM, key, owned(signature), owned(bytes))
  } catch {
    // 65 bytes that are no point of the curve: somebody else's input, hence simply not valid.
    return false
  }
}

function assertSecureContext(): void {
  if (globalThis.isSecureContext) return
  throw new StorageError(
    'unavailable',
    'keys, locks and storage exist only in secure contexts: open this page by https or localhost',
  )
}

/** Web Crypto takes no view of a shared buffer. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
