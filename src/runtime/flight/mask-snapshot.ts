/**
 * Masks what a snapshot of the tree holds of applications, keeping its length and layout (P11), and
 * puts its seals right again.
 */
import { adler32 } from '../../core/base/adler32.ts'
import { concat } from '../../core/base/bytes.ts'
import { decodeUtf8 } from '../../core/base/utf8.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { JuteReader } from '../../core/jute/reader.ts'
import { ZOOKEEPER_PATH } from '../../core/tree/data-tree.ts'
import type { SecretMask } from './mask-secrets.ts'

const HEADER_BYTES = 16
const SESSION_BYTES = 12
/** Behind a node's data: index of its ACL list, then its stat. */
const ACL_INDEX_BYTES = 8
const STAT_BYTES = 60
const SEAL_BYTES = 13
const END_PATH = '/'

/** In place. What is no whole snapshot becomes zeros: nobody can tell what is in it. */
export function maskSnapshot(chunks: readonly Uint8Array[], mask: SecretMask): void {
  const whole = concat(chunks)
  if (!maskWhole(whole, mask)) whole.fill(0)
  let at = 0
  for (const chunk of chunks) {
    chunk.set(whole.subarray(at, at + chunk.length))
    at += chunk.length
  }
}

function maskWhole(bytes: Uint8Array, mask: SecretMask): boolean {
  try {
    const r = new JuteReader(bytes, { maxBuffer: bytes.length })
    r.raw(HEADER_BYTES)
    r.raw(r.int() * SESSION_BYTES)
    const aclsAt = bytes.length - r.remaining
    skipAcls(r)
    const nodesAt = bytes.length - r.remaining
    mask.ids(bytes.subarray(aclsAt, nodesAt))
    for (let path = r.string('path'); path !== END_PATH; path = r.string('path')) {
      const data = r.buffer()
      if (!isOwnPath(path)) mask.payload(data)
      r.raw(ACL_INDEX_BYTES + STAT_BYTES)
    }
    seal(bytes, r)
    // Then the block of the digest and that of the last zxid, each with its seal (P11).
    while (!r.atEnd) {
      r.raw(r.remaining === 8 + SEAL_BYTES ? 8 : 20)
      seal(bytes, r)
    }
    return true
  } catch (error) {
    if (error instanceof JuteError) return false
    throw error
  }
}

function skipAcls(r: JuteReader): void {
  for (let lists = r.int(); lists > 0; lists--) {
    r.raw(8)
    for (let items = r.int(); items > 0; items--) {
      r.raw(4)
      r.buffer()
      r.buffer()
    }
  }
}

function seal(bytes: Uint8Array, r: JuteReader): void {
  const at = bytes.length - r.remaining
  const end = r.raw(SEAL_BYTES).subarray(SEAL_BYTES - 1)
  if (decodeUtf8(end) !== END_PATH) throw new JuteError('no seal')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setBigInt64(at, BigInt(adler32(bytes.subarray(0, at))))
}

/** ZooKeeper's own nodes hold settings that it reads itself, nothing of an application. */
export function isOwnPath(path: string): boolean {
  return path === ZOOKEEPER_PATH || path.startsWith(`${ZOOKEEPER_PATH}/`)
}
