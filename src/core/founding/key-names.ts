/** Short names of keys and ensembles, for links, databases and configuration lines. */
import { toHex } from '../base/bytes.ts'
import { sha256 } from '../base/sha256.ts'

/** 128 bits: names a member everywhere, so nobody may find a second key with the same name. */
const INCARNATION_BYTES = 16
/** 80 bits, 20 characters in the link: a second key for a given name costs 2^80 tries. */
const LINK_NAME_BYTES = 10

/** The incarnation of a member: the start of the hash of its raw public key. */
export function incarnationOf(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey).subarray(0, INCARNATION_BYTES))
}

/** CREATOR of a link: a prefix of the creator's incarnation. */
export function creatorHash(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey).subarray(0, LINK_NAME_BYTES))
}

/**
 * CLUSTER of a link: names one founding record, not only the id in it. `body` is the signed part
 * without its signature, which differs from one signing to the next.
 */
export function clusterHash(body: Uint8Array): string {
  return toHex(sha256(body).subarray(0, LINK_NAME_BYTES))
}
