/** SequenceGrows (D14): names of sequential children are new, and grow with every create. */
import type { SimpleTxn } from '../core/jute/txn.ts'
import type { JudgedHistory } from './history-events.ts'
import { parentPath } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

const SUFFIX = /-(\d{10,})$/

export function checkSequences(history: JudgedHistory): void {
  const rule = new Rule(history, 'SequenceGrows')
  const highest = new Map<string, number>()
  const look = (zxid: bigint, txn: SimpleTxn): void => {
    // A parent that is created anew counts from 0 again.
    if (txn.kind === 'delete') highest.delete(txn.path)
    const match = txn.kind === 'create' ? SUFFIX.exec(txn.path) : null
    if (match === null || txn.kind !== 'create') return
    const parent = parentPath(txn.path)
    const number = Number(match[1])
    const before = highest.get(parent) ?? -1
    highest.set(parent, number)
    rule.holds(number > before, () => `${txn.path} at ${hex(zxid)} after number ${before}`)
  }
  history.probe.on('committed', ({ zxid, logged: { txn }, replaced }) => {
    // Numbers that the backup did not know come again.
    if (replaced !== undefined) highest.clear()
    if (txn.kind !== 'multi') look(zxid, txn)
    else if (!txn.txns.some(({ kind }) => kind === 'error')) {
      for (const each of txn.txns) look(zxid, each)
    }
  })
}
