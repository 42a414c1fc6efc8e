/**
 * BoundedStaleness (Q49, Q51): a server that is cut off notices within its silence limit, so a read
 * shows every write that was acknowledged some seconds before it was asked for.
 */
import type { JudgedHistory } from './history-events.ts'
import { describeCall } from './operation.ts'
import { hex, Rule } from './rule.ts'

export function checkFreshness(history: JudgedHistory, limitMs: number): void {
  const rule = new Rule(history, 'BoundedStaleness')
  const acked: { readonly atMs: number; readonly zxid: bigint }[] = []
  history.probe.on('completed', ({ op, outcome }) => {
    if (outcome.isReadOnly === true) return
    const sinceMs = op.invokedAtMs - limitMs
    const floor = acked.findLast(({ atMs }) => atMs <= sinceMs)?.zxid ?? 0n
    rule.holds(outcome.zxid >= floor, () => {
      const told = `machine ${outcome.server} answers at ${hex(outcome.zxid)}`
      const late = `${hex(floor)} was acknowledged ${limitMs} ms before`
      return `${describeCall(op.call)}: ${told}; ${late}`
    })
    const { newestAcked, nowMs } = history
    if (newestAcked > (acked.at(-1)?.zxid ?? 0n)) {
      acked.push({ atMs: nowMs, zxid: newestAcked })
    }
  })
}
