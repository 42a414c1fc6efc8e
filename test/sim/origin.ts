/**
 * An ensemble that begins with what a former one left (design §4, lost majority): one voter brings
 * a copy of its state, and nobody leads who has less.
 */
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { makeZxid, type Zxid } from '../../src/core/base/zxid.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../src/core/jute/perms.ts'
import type { Txn } from '../../src/core/jute/txn.ts'
import { copyForNewEnsemble, type EnsembleCopy } from '../../src/core/server/ensemble-copy.ts'
import { DataTree } from '../../src/core/tree/data-tree.ts'
import { restoreTree } from '../../src/core/tree/snapshot.ts'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import type { RecordedTree } from '../../src/history/recorded-tree.ts'
import { FOUNDING_RECORD } from './founding.ts'
import { recordedTree } from './recorded-tree.ts'

/** Of the former ensemble: higher than what the new one would begin with. */
const EPOCH = 3
const OWNER = 0x1234n
const MADE_MS = 1_600_000_000_000

export interface Origin {
  readonly zxid: Zxid
  readonly copy: EnsembleCopy
  /** As the judges know it. */
  readonly tree: RecordedTree
}

/** What clients use here too, an ephemeral that does not come along, and a queue with a past. */
export function formerEnsemble(): Origin {
  const tree = new DataTree()
  let counter = 0
  const apply = (type: number, txn: Txn): void => {
    const zxid = makeZxid(EPOCH, ++counter)
    tree.applyTxn({ clientId: OWNER, cxid: counter, zxid, time: MADE_MS, type }, txn, null)
  }
  const create = (path: string, ephemeral = false): void => {
    const data = encodeUtf8(`former ${path}`)
    const txn = { path, data, acl: OPEN_ACL_UNSAFE, ephemeral, parentCVersion: -1 }
    apply(OpCode.create, { kind: 'create', ...txn })
  }
  apply(OpCode.createSession, { kind: 'createSession', timeOut: 6000 })
  for (const path of ['/q', '/d', '/e', '/r0']) create(path)
  for (const path of ['/q/n-0000000000', '/q/n-0000000001']) create(path)
  create('/e/c1', true)
  apply(OpCode.delete, { kind: 'delete', path: '/q/n-0000000000' })
  const copy = copyForNewEnsemble(tree, EPOCH)
  return { zxid: copy.zxid, copy, tree: recordedTree(restoreTree(copy.chunks)) }
}

/** A disk as the machine has it that took the copy and founded with it. */
export function broughtDisk({ chunks, zxid, epoch }: EnsembleCopy): MemoryDisk {
  const disk = new MemoryDisk()
  const id = 1
  disk.apply([
    ...chunks.map((bytes, index) => ({ kind: 'snapshot-chunk', id, index, bytes }) as const),
    { kind: 'accepted-epoch', epoch },
    { kind: 'snapshot-commit', id, zxid, chunks: chunks.length, install: true },
    { kind: 'current-epoch', epoch },
  ])
  disk.pinFoundingSync(FOUNDING_RECORD, null)
  return disk
}
