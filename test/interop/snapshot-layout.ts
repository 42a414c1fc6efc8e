/**
 * The layout of a snapshot file and of a SNAP stream (P11, Q33), as far as a test needs it to see
 * that our primitives read Apache's bytes. The product's own snapshots are in core/tree.
 */

import { adler32 } from '../../src/core/base/adler32.ts'
import {
  readAcl,
  statPersistedRecord,
  writeAcl,
  type Acl,
  type StatPersisted,
} from '../../src/core/jute/data-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'

interface Node {
  readonly path: string
  readonly data: Uint8Array | null
  readonly acl: bigint
  readonly stat: StatPersisted
}

interface Digest {
  readonly zxid: bigint
  readonly version: number
  readonly digest: bigint
}

export interface SnapshotBody {
  readonly sessions: readonly { readonly id: bigint; readonly timeout: number }[]
  readonly acls: readonly { readonly index: bigint; readonly acl: readonly Acl[] | null }[]
  readonly nodes: readonly Node[]
}

export interface Snapshot extends SnapshotBody {
  readonly digest: Digest | null
}

const MAGIC = 0x5a4b_534e
const VERSION = 2
const DBID = -1n
const ROOT = '/'

/** Sessions, ACLs, nodes and the closing string: '/' in a file, a signature in a stream. */
export function readSnapshotBody(r: JuteReader, signature: string | null): SnapshotBody {
  const sessions = Array.from({ length: r.int() }, () => ({ id: r.long(), timeout: r.int() }))
  const acls = Array.from({ length: r.int() }, () => ({ index: r.long(), acl: r.vector(readAcl) }))
  const nodes: Node[] = []
  for (;;) {
    const path = r.string('path')
    if (path === ROOT) break
    nodes.push({
      path,
      data: r.buffer(),
      acl: r.long(),
      stat: statPersistedRecord.read(r),
    })
  }
  if (signature !== null && r.string('signature') !== signature) throw new Error('no signature')
  return { sessions, acls, nodes }
}

export function writeSnapshotBody(body: SnapshotBody, signature: string | null): Uint8Array {
  const w = new JuteWriter()
  writeBody(w, body)
  if (signature !== null) w.ustring(signature)
  return w.finish()
}

export function readSnapshot(bytes: Uint8Array): Snapshot {
  const r = new JuteReader(bytes)
  if (r.int() !== MAGIC || r.int() !== VERSION || r.long() !== DBID) throw new Error('no header')
  const body = readSnapshotBody(r, null)
  readSeal(r, bytes)
  if (r.atEnd) return { ...body, digest: null }
  const digest = { zxid: r.long(), version: r.int(), digest: r.long() }
  readSeal(r, bytes)
  if (!r.atEnd) throw new Error(`${r.remaining} bytes after the snapshot`)
  return { ...body, digest }
}

export function writeSnapshot({ digest, ...body }: Snapshot): Uint8Array {
  const w = new JuteWriter()
  w.int(MAGIC)
  w.int(VERSION)
  w.long(DBID)
  writeBody(w, body)
  writeSeal(w)
  if (digest !== null) {
    w.long(digest.zxid)
    w.int(digest.version)
    w.long(digest.digest)
    writeSeal(w)
  }
  return w.finish()
}

function writeBody(w: JuteWriter, body: SnapshotBody): void {
  w.int(body.sessions.length)
  for (const { id, timeout } of body.sessions) {
    w.long(id)
    w.int(timeout)
  }
  w.int(body.acls.length)
  for (const { index, acl } of body.acls) {
    w.long(index)
    w.vector(acl, writeAcl)
  }
  for (const node of body.nodes) {
    w.ustring(node.path)
    w.buffer(node.data)
    w.long(node.acl)
    statPersistedRecord.write(w, node.stat)
  }
  w.ustring(ROOT)
}

/** Adler-32 of everything before it, then '/'. */
function writeSeal(w: JuteWriter): void {
  w.longNumber(adler32(w.finish()))
  w.ustring(ROOT)
}

function readSeal(r: JuteReader, bytes: Uint8Array): void {
  const sealed = bytes.subarray(0, bytes.length - r.remaining)
  const checksum = r.longNumber()
  if (checksum !== adler32(sealed)) throw new Error(`checksum ${checksum}`)
  if (r.string('seal') !== ROOT) throw new Error('no seal')
}
