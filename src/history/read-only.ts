/**
 * WithoutLeader (S37–S40): a server that found no leader changes nothing, and shows what a log made
 * that it has. The end of that log may be undone later, so only what turned out to be committed can
 * be compared; a server whose history is undone ends the connection first.
 */
import { ErrorCode } from '../core/jute/error-code.ts'
import type { JudgedHistory } from './history-events.ts'
import { describeCall, isWrite, type Op, type Outcome } from './operation.ts'
import { checkRead } from './reads.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

interface Answered {
  readonly op: Op
  readonly outcome: Outcome
}

export function checkReadOnly(history: JudgedHistory, tree: ReferenceTree): void {
  const rule = new Rule(history, 'WithoutLeader')
  const reads: Answered[] = []
  const committed = new Set<bigint>()
  history.probe.on('committed', ({ zxid }) => committed.add(zxid))
  history.probe.on('completed', ({ op, outcome }) => {
    const isRefused = outcome.err === ErrorCode.NOTREADONLY
    const where = (): string => `${describeCall(op.call)} at ${hex(outcome.zxid)}`
    if (outcome.isReadOnly !== true) {
      rule.holds(!isRefused, () => `${where()} is refused by a server that has a leader`)
      return
    }
    // A session that one server keeps ends there.
    const isDone = isWrite(op.call) && op.call.kind !== 'close' && !isRefused
    rule.holds(!isDone, () => `${where()} is answered ${outcome.err} without a leader`)
    if (!isRefused) reads.push({ op, outcome })
  })
  history.probe.on('finished', () => {
    for (const { op, outcome } of reads) {
      if (committed.has(outcome.zxid)) checkRead(rule, tree, op, outcome, history.unexplained)
    }
  })
}
