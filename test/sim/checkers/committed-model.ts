/** The reference tree fed from the global log, for the checkers that judge by it. */
import { ReferenceTree } from '../reference-tree.ts'
import type { World } from '../world.ts'

export function followCommitted(world: World): ReferenceTree {
  const tree = new ReferenceTree()
  world.probe.on('committed', ({ logged }) => tree.apply(logged.header, logged.txn))
  return tree
}
