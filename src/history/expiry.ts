/**
 * NotExpiredEarly (S7): no session expires while its client was heard within its time-out. Needs a
 * history that is told as it happens: a log does not say when its entries were committed.
 */
import type { JudgedHistory } from './history-events.ts'
import { hex, Rule } from './rule.ts'

/**
 * ms that a follower's touches may be under way to the leader, or lost with the follower: half a
 * tick between PINGs, the silence limit, and slow links (S10).
 */
const TOUCH_SLACK_MS = 3000

export function checkExpiry(history: JudgedHistory): void {
  const early = new Rule(history, 'NotExpiredEarly')
  /** When a call that was answered later was made: the server heard of the client after that. */
  const heardMs = new Map<bigint, number>()
  const timeouts = new Map<bigint, number>()
  history.probe.on('completed', ({ op }) => heardMs.set(op.session, op.invokedAtMs))
  history.probe.on('committed', ({ logged: { header, txn } }) => {
    const { clientId, cxid } = header
    if (txn.kind === 'createSession') timeouts.set(clientId, txn.timeOut)
    if (txn.kind !== 'closeSession') return
    const quietMs = history.nowMs - (heardMs.get(clientId) ?? Number.NEGATIVE_INFINITY)
    const timeoutMs = timeouts.get(clientId) ?? 0
    early.holds(cxid !== 0 || quietMs > timeoutMs - TOUCH_SLACK_MS, () => {
      const quiet = `${quietMs.toFixed(0)} ms`
      return `session ${hex(clientId)} expired ${quiet} after its client was heard`
    })
  })
}
