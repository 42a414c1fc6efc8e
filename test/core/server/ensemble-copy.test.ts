// What a new ensemble is started from: the state without the people of the old one.
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid, type Zxid } from '../../../src/core/base/zxid.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import type { Txn } from '../../../src/core/jute/txn.ts'
import { copyFacts, copyForNewEnsemble } from '../../../src/core/server/ensemble-copy.ts'
import { DataTree, OBSERVERS_PATH } from '../../../src/core/tree/data-tree.ts'
import { restoreTree } from '../../../src/core/tree/snapshot.ts'

const SESSION = 0x0100_0000_0000_0001n
const OTHER = 0x0200_0000_0000_0001n

class Writer {
  readonly tree = new DataTree()
  #counter = 0

  apply(clientId: bigint, type: number, txn: Txn): this {
    const zxid = makeZxid(7, ++this.#counter)
    const header = { clientId, cxid: 1, zxid, time: 1_000 + this.#counter, type }
    this.tree.applyTxn(header, txn, null)
    return this
  }

  session(id: bigint): this {
    return this.apply(id, OpCode.createSession, { kind: 'createSession', timeOut: 10_000 })
  }

  create(path: string, data: string, owner = 0n): this {
    const acl = OPEN_ACL_UNSAFE
    const ephemeral = owner !== 0n
    return this.apply(owner, OpCode.create, {
      kind: 'create',
      ...{ path, data: encodeUtf8(data), acl, ephemeral, parentCVersion: 1 },
    })
  }
}

function written(): DataTree {
  const writer = new Writer().session(SESSION).session(OTHER).create('/kept', 'yes')
  writer.create('/kept/member', '', SESSION).create('/lock', '', OTHER)
  return writer.create(OBSERVERS_PATH, 'sid=4 incarnation=aa base=68719476736').tree
}

const copied = (tree: DataTree, epoch: number): { tree: DataTree; zxid: Zxid; epoch: number } => {
  const copy = copyForNewEnsemble(tree, epoch)
  return { ...copy, tree: restoreTree(copy.chunks) }
}

describe('a copy for a new ensemble', () => {
  test('keeps what was written, committed or not', () => {
    const { tree } = copied(written(), 7)
    expect(tree.node('/kept')?.data).toEqual(encodeUtf8('yes'))
    expect(tree.node('/kept')?.mzxid).toBe(makeZxid(7, 3))
  })

  test('leaves sessions, their ephemerals and the places of observers behind', () => {
    const { tree } = copied(written(), 7)
    expect(tree.sessions.size).toBe(0)
    expect(tree.store.ephemerals.count).toBe(0)
    for (const path of ['/lock', '/kept/member']) expect(tree.node(path)).toBeUndefined()
    expect(tree.node(OBSERVERS_PATH)?.data).toEqual(new Uint8Array(0))
  })

  test('stands later than what it copied, in an epoch that is not older', () => {
    const { tree, zxid, epoch } = copied(written(), 3)
    expect(zxid).toBeGreaterThan(written().lastProcessed)
    expect([tree.lastProcessed, epoch]).toEqual([zxid, 7])
    expect(copied(written(), 9).epoch).toBe(9)
  })

  test('does not change the tree that it copies', () => {
    const tree = written()
    const { digest, lastProcessed } = tree
    copyForNewEnsemble(tree, 7)
    expect([tree.digest, tree.lastProcessed]).toEqual([digest, lastProcessed])
    expect(tree.sessions.size).toBe(2)
  })

  test('of nothing is still somewhere: an origin is never nothing', () => {
    expect(copied(new DataTree(), 0)).toMatchObject({ zxid: makeZxid(1, 0), epoch: 1 })
  })

  test('says what it has and what stays behind', () => {
    expect(copyFacts(written())).toEqual({
      lastZxid: '0x700000006',
      lastChangeMs: 1_006,
      znodes: 7,
      sessions: 2,
      ephemerals: 2,
    })
  })
})
