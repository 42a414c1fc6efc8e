/**
 * Replay over a state that already holds some of it (P12), as after ZooKeeper's fuzzy snapshots.
 */
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { visibleStat } from '../../../src/core/tree/stat.ts'
import { step } from './random-history.ts'
import { describeTree, treeFaults, TreeDriver } from './tree-driver.ts'

function replay(driver: TreeDriver, from = 0): number[] {
  return driver.applied
    .slice(from)
    .map(({ header, txn }) => driver.tree.applyTxn(header, txn, null).err)
}

describe('replay (P12)', () => {
  it.each([OpCode.create, OpCode.create2])(
    'create of an existing node (type %i): parent only forwards, the list is set',
    (type) => {
      const driver = new TreeDriver()
      driver.create('/p')
      driver.create('/p/c', { acl: READ_ACL_UNSAFE, type })
      const late = driver.applied.at(-1)!
      driver.create('/p/d')
      const before = visibleStat(driver.tree.node('/p')!)
      driver.setAcl('/p/c', [])
      expect(driver.tree.applyTxn(late.header, late.txn, null).err).toBe(ErrorCode.NODEEXISTS)
      expect(visibleStat(driver.tree.node('/p')!)).toEqual(before)
      expect(driver.tree.node('/p/c')?.acl.list).toEqual(READ_ACL_UNSAFE)
    },
  )

  it('create of an existing node raises a parent that is behind', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.create('/p/c')
    const again = { ...driver.createTxn('/p/c'), parentCVersion: 5 }
    driver.apply(again)
    expect(driver.tree.node('/p')).toMatchObject({ cversion: 5, pzxid: driver.zxid })
  })

  it('a create does not take the counter of the parent back', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.create('/p/a')
    const first = driver.applied.at(-1)!
    driver.create('/p/b')
    driver.delete('/p/a')
    const { pzxid } = driver.tree.node('/p')!
    driver.tree.applyTxn(first.header, first.txn, null)
    expect(driver.tree.node('/p')).toMatchObject({ cversion: 2, pzxid })
  })

  it('a create without the counter counts on (CreateTxnV0)', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.apply({ ...driver.createTxn('/p/a'), parentCVersion: -1 })
    expect(driver.tree.node('/p')?.cversion).toBe(1)
  })

  it('delete of a missing node still moves the pzxid, and only forwards', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    expect(driver.delete('/p/gone').err).toBe(ErrorCode.NONODE)
    const { zxid } = driver
    expect(driver.tree.node('/p')?.pzxid).toBe(zxid)
    driver.create('/p/c')
    const late = driver.applied[1]!
    driver.tree.applyTxn(late.header, late.txn, null)
    expect(driver.tree.node('/p')?.pzxid).toBe(driver.zxid)
  })

  it('an ACL that replay sets again does not leak a use (A14)', () => {
    const driver = new TreeDriver()
    driver.create('/a', { acl: READ_ACL_UNSAFE })
    replay(driver)
    replay(driver)
    driver.delete('/a')
    expect(driver.tree.store.acls.entries().map((entry) => entry.uses)).toEqual([1])
  })

  it('closing a session again is harmless', () => {
    const driver = new TreeDriver()
    driver.open(5n)
    driver.create('/e', { owner: 5n })
    driver.close(5n)
    const before = describeTree(driver.tree)
    const last = driver.applied.at(-1)!
    driver.tree.applyTxn(last.header, last.txn, null)
    expect(describeTree(driver.tree)).toEqual(before)
    expect(driver.tree.sessions.size).toBe(0)
  })

  it('same transactions, same tree: digests agree on every member', () => {
    const rng = new Prng('agree')
    const driver = new TreeDriver()
    for (let i = 0; i < 2_000; i++) step(driver, rng)
    const other = new TreeDriver()
    for (const { header, txn } of driver.applied) other.tree.applyTxn(header, txn, null)
    expect(other.tree.digest).toBe(driver.tree.digest)
    expect(describeTree(other.tree)).toEqual(describeTree(driver.tree))
    expect(other.tree.lastProcessed).toBe(driver.tree.lastProcessed)
  })

  it.each(Array.from({ length: 20 }, (_, i) => i))(
    'replaying a tail over its own outcome changes nothing that lasts (seed %i)',
    (seed) => {
      const rng = new Prng(`replay/${seed}`)
      const driver = new TreeDriver()
      for (let i = 0; i < 300; i++) step(driver, rng)
      const before = describeTree(driver.tree)
      const digest = driver.tree.digest
      const from = rng.int(driver.applied.length)
      // Only a whole tail is idempotent: it ends where the tree already is.
      replay(driver, from)
      expect(treeFaults(driver.tree)).toEqual([])
      expect(paths(describeTree(driver.tree))).toEqual(paths(before))
      if (from === driver.applied.length - 1) expect(driver.tree.digest).toBe(digest)
    },
  )
})

const paths = (lines: string[]): (string | undefined)[] => lines.map((line) => line.split(' ')[0])
