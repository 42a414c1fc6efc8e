/**
 * A snapshot from elsewhere, made fit to be the state of this ensemble (P26): whole, of the digest
 * it says, and nothing in it from a transaction that is still to come.
 */
import type { Zxid } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { restoreTree } from '../tree/snapshot.ts'

/**
 * `newest`: no zxid in it will be larger. What another ensemble did under larger ones counts as
 * done then: a watch set again (N24) or a guarded write must not see a change from the future.
 *
 * Throws a JuteError when the bytes are no whole snapshot.
 */
export function readBackup(chunks: readonly Uint8Array[], newest: Zxid): DataTree {
  const tree = restoreTree(chunks)
  if (tree.digestMismatches > 0) throw new JuteError('snapshot digest does not match')
  return tree.lastProcessed <= newest ? tree : agedTree(chunks, newest)
}

function agedTree(chunks: readonly Uint8Array[], newest: Zxid): DataTree {
  const tree = restoreTree(chunks, { zxid: newest })
  const age = (zxid: bigint): bigint => (zxid < newest ? zxid : newest)
  for (const node of tree.store.nodes()) {
    node.czxid = age(node.czxid)
    node.mzxid = age(node.mzxid)
    node.pzxid = age(node.pzxid)
    tree.store.afterChange(node)
  }
  return tree
}
