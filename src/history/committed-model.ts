/** The reference tree fed from the global log, for the checkers that judge by it. */
import type { JudgedHistory } from './history-events.ts'
import type { RecordedTree } from './recorded-tree.ts'
import { ReferenceTree } from './reference-tree.ts'

export function followCommitted({ probe }: JudgedHistory, before?: RecordedTree): ReferenceTree {
  const tree = new ReferenceTree(before)
  probe.on('committed', ({ logged, replaced }) => {
    if (replaced === undefined) tree.apply(logged.header, logged.txn)
    else tree.replace(replaced)
  })
  return tree
}
