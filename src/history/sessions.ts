/**
 * SessionIsOpen (T47): no write succeeds for a session that is not open, and no session opens
 * twice. EphemeralOwnerAlive (T47, O6): an ephemeral belongs to an open session, and goes with it.
 */
import { ErrorCode } from '../core/jute/error-code.ts'
import type { JudgedHistory } from './history-events.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

export function checkSessions(history: JudgedHistory, tree: ReferenceTree): void {
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
      owner.holds(tree.ephemeralsOf(clientId).size === 0, () => {
        return `session ${hex(clientId)} ended at ${hex(zxid)} and left ephemerals`
      })
      return
    }
    const isRefused = txn.kind === 'error' && txn.err === ErrorCode.SESSIONEXPIRED
    open.holds(isRefused || tree.isSessionOpen(clientId, zxid), () => {
      return `${txn.kind} of session ${hex(clientId)} at ${hex(zxid)}, which is not open`
    })
  })
}
