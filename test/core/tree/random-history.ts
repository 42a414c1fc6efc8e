/** Random legal transactions on a small tree: few names, so that they meet often. */

import type { Prng } from '../../../src/core/base/prng.ts'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import type { SimpleTxn } from '../../../src/core/jute/txn.ts'
import { isSpecialPath } from '../../../src/core/tree/data-tree.ts'
import { joinPath } from '../../../src/core/tree/path.ts'
import type { TreeDriver } from './tree-driver.ts'

const NAMES = ['a', 'b', 'c', 'd', 'ü', 'n-']
const SESSIONS = [0x100n, 0x200n, 0x300n]
const ACLS: readonly (readonly Acl[])[] = [
  OPEN_ACL_UNSAFE,
  READ_ACL_UNSAFE,
  [],
  [
    { perms: 31, id: { scheme: 'digest', id: 'ann:hash' } },
    { perms: 1, id: { scheme: 'ip', id: '10.0.0.0/8' } },
  ],
]

/** Applies one transaction; what is impossible just now becomes an error transaction. */
export function step(driver: TreeDriver, rng: Prng): void {
  const roll = rng.int(100)
  if (roll < 40) create(driver, rng)
  else if (roll < 62) {
    const path = anyNode(driver, rng)
    if (canDelete(driver, path)) driver.delete(path)
    else driver.apply({ kind: 'error', err: -111 })
  } else if (roll < 82) driver.set(anyNode(driver, rng), anyData(rng))
  else if (roll < 88) driver.setAcl(anyNode(driver, rng), rng.pick(ACLS))
  else if (roll < 92) driver.close(rng.pick(SESSIONS))
  else if (roll < 95) driver.open(rng.pick(SESSIONS), 1_000 * (1 + rng.int(9)))
  else multi(driver, rng)
}

function create(driver: TreeDriver, rng: Prng): void {
  const parent = anyNode(driver, rng)
  const path = joinPath(parent, rng.pick(NAMES))
  if (!canHaveChild(driver, parent) || driver.tree.node(path) !== undefined) {
    driver.apply({ kind: 'error', err: -110 })
    return
  }
  const owner = rng.bool(0.25) ? rng.pick(SESSIONS) : 0n
  driver.create(path, { data: anyData(rng), acl: rng.pick(ACLS), owner })
}

/** create /x, write it, delete it again; or only the first two. */
function multi(driver: TreeDriver, rng: Prng): void {
  const parent = anyNode(driver, rng)
  const path = joinPath(parent, `m${rng.int(1_000)}`)
  if (!canHaveChild(driver, parent) || driver.tree.node(path) !== undefined) return
  const txns: SimpleTxn[] = [
    driver.createTxn(path, { data: anyData(rng) }),
    { kind: 'setData', path, data: anyData(rng), version: 1 },
  ]
  if (rng.bool()) txns.push({ kind: 'delete', path })
  driver.apply({ kind: 'multi', txns })
}

function anyNode(driver: TreeDriver, rng: Prng): string {
  const paths = [...driver.tree.store.nodes()].map((node) => node.path)
  return rng.pick(paths)
}

function canHaveChild(driver: TreeDriver, path: string): boolean {
  return driver.tree.node(path)?.ephemeralOwner === 0n
}

function canDelete(driver: TreeDriver, path: string): boolean {
  return !isSpecialPath(path) && (driver.tree.node(path)?.children?.size ?? 0) === 0
}

function anyData(rng: Prng): Uint8Array | null {
  if (rng.bool(0.1)) return null
  const length = rng.bool(0.02) ? 5_000 : rng.int(40)
  return Uint8Array.from({ length }, () => rng.int(256))
}
