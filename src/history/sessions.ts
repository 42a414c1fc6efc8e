/**
 * SessionIsOpen (T47): no write succeeds for a session that is not open, and no session opens
 * twice. EphemeralOwnerAlive (T47, O6): an ephemeral belongs to an open session, and goes with it.
 */
import { ErrorCode } from '../core/jute/error-code.ts'
import type { Txn } from '../core/jute/txn.ts'
import type { JudgedHistory } from './history-events.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

/** `mayBeLocal`: sessions of which the log knows nothing may write (S22). */
export function checkSessions(
  history: JudgedHistory,
  tree: ReferenceTree,
  mayBeLocal: boolean = false,
): void {
  const open = new Rule(history, 'SessionIsOpen')
  const owner = new Rule(history, 'EphemeralOwnerAlive')
  const opened = new Set<bigint>()
  history.probe.on('committed', ({ zxid, logged: { header, txn } }) => {
    const { clientId } = header
    // What the ensemble writes by itself is of no session.
    if (clientId === 0n) return
    if (txn.kind === 'createSession') {
      open.holds(!opened.has(clientId), () => `session ${hex(clientId)} is opened twice`)
      opened.add(clientId)
      return
    }
    if (txn.kind === 'closeSession') {
      // Logs of old name no paths; who replays them looks them up.
      const named = txn.paths ?? tree.ownedAtEnd(clientId)
      const isWhole = tree.ownedAtEnd(clientId).every((path) => named.includes(path))
      owner.holds(isWhole, () => {
        return `session ${hex(clientId)} ended at ${hex(zxid)} and left ephemerals`
      })
      return
    }
    const isLocal = mayBeLocal && !opened.has(clientId)
    open.holds(isRefusedAsExpired(txn) || isLocal || tree.isSessionOpen(clientId, zxid), () => {
      return `${txn.kind} of session ${hex(clientId)} at ${hex(zxid)}, which is not open`
    })
  })
}

/** A multi that came too late is logged as one whose operations are all errors (W49). */
function isRefusedAsExpired(txn: Txn): boolean {
  if (txn.kind === 'multi') return txn.txns.some(isRefusedAsExpired)
  return txn.kind === 'error' && txn.err === ErrorCode.SESSIONEXPIRED
}
