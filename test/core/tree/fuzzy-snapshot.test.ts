/**
 * ZooKeeper's own snapshots are fuzzy (P12, T26): written depth first while transactions go on,
 * with the ACL table and the sessions of the start. Restoring one and replaying from the zxid of
 * its name must lead to the same tree.
 */
import { describe, expect, it } from 'vitest'
import { adler32 } from '../../../src/core/base/adler32.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { statPersistedRecord, writeAcl } from '../../../src/core/jute/data-records.ts'
import { JuteWriter } from '../../../src/core/jute/writer.ts'
import { restoreTree } from '../../../src/core/tree/snapshot.ts'
import { step } from './random-history.ts'
import { describeTree, treeFaults, TreeDriver } from './tree-driver.ts'

/** Calls `between` after each node, as a busy server would be. */
function fuzzySnapshot(driver: TreeDriver, between: () => void): Uint8Array {
  const { tree } = driver
  const w = new JuteWriter()
  w.int(0x5a4b534e)
  w.int(2)
  w.long(-1n)
  w.int(tree.sessions.size)
  for (const [id, timeoutMs] of tree.sessions) {
    w.long(id)
    w.int(timeoutMs)
  }
  const acls = tree.store.acls.entries()
  w.int(acls.length)
  for (const { index, list } of acls) {
    w.longNumber(index)
    w.vector(list, writeAcl)
  }
  const visit = (path: string): void => {
    const node = tree.node(path)
    if (node === undefined) return
    const children = [...(node.children ?? [])]
    w.ustring(path)
    w.buffer(node.data)
    w.longNumber(node.acl.index)
    statPersistedRecord.write(w, node)
    between()
    for (const name of children) visit(`${path}/${name}`)
  }
  visit('')
  w.ustring('/')
  w.longNumber(adler32(w.finish()))
  w.ustring('/')
  return w.finish()
}

describe('a fuzzy snapshot and the log after its start', () => {
  it.each(Array.from({ length: 60 }, (_, i) => i))('make the same tree (seed %i)', (seed) => {
    const rng = new Prng(`fuzzy/${seed}`)
    const driver = new TreeDriver()
    for (let i = 100 + rng.int(200); i > 0; i--) step(driver, rng)
    const zxid = driver.tree.lastProcessed
    const from = driver.applied.length
    const bytes = fuzzySnapshot(driver, () => {
      for (let i = rng.int(8); i > 0; i--) step(driver, rng)
    })
    for (let i = rng.int(20); i > 0; i--) step(driver, rng)
    const restored = restoreTree([bytes], { zxid })
    for (const { header, txn } of driver.applied.slice(from)) restored.applyTxn(header, txn, null)
    expect(treeFaults(restored)).toEqual([])
    expect(describeTree(restored)).toEqual(describeTree(driver.tree))
    expect(restored.digest).toBe(driver.tree.digest)
    expect([...restored.sessions]).toEqual([...driver.tree.sessions])
  })
})
