/**
 * TableOfObservers (design §4): of no session is only what the leader itself writes.
 * SessionIsOpen (T47): no write succeeds for a session that is not open, and no session opens
 * twice. EphemeralOwnerAlive (T47, O6): an ephemeral belongs to an open session, and goes with it.
 * SequenceGrows (D14): the suffix of a sequential child is the number of creates before it.
 * NotExpiredEarly (S7): no session expires while its client was heard within its time-out.
 */
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OBSERVERS_PATH } from '../../../src/core/tree/data-tree.ts'
import type { SimpleTxn } from '../../../src/core/jute/txn.ts'
import type { Committed } from '../probe.ts'
import { parentPath, type ReferenceTree } from '../reference-tree.ts'
import type { World } from '../world.ts'
import { hex, Rule } from './rule.ts'

/**
 * ms that a follower's touches may be under way to the leader, or lost with the follower: half a
 * tick between PINGs, the silence limit, and slow links (S10).
 */
const TOUCH_SLACK_MS = 3000
const SUFFIX = /-(\d{10,})$/

export function checkSessions(world: World, tree: ReferenceTree): void {
  const table = new Rule(world, 'TableOfObservers')
  const open = new Rule(world, 'SessionIsOpen')
  const owner = new Rule(world, 'EphemeralOwnerAlive')
  const early = new Rule(world, 'NotExpiredEarly')
  /** When a call that was answered later was made: the server heard of the client after that. */
  const heardMs = new Map<bigint, number>()
  world.probe.on('completed', ({ op }) => heardMs.set(op.session, op.invokedAtMs))
  const timeouts = new Map<bigint, number>()
  world.probe.on('committed', ({ zxid, logged: { header, txn } }) => {
    const { clientId, cxid } = header
    if (clientId === 0n) {
      const isTable = txn.kind === 'create' || txn.kind === 'setData'
      table.holds(isTable && txn.path === OBSERVERS_PATH, () => `${txn.kind} at ${hex(zxid)}`)
      return
    }
    if (txn.kind === 'createSession') {
      open.holds(!timeouts.has(clientId), () => `session ${hex(clientId)} is opened twice`)
      timeouts.set(clientId, txn.timeOut)
      return
    }
    if (txn.kind === 'closeSession') {
      owner.holds(tree.ephemeralsOf(clientId).size === 0, () => {
        return `session ${hex(clientId)} ended at ${hex(zxid)} and left ephemerals`
      })
      const quietMs = world.timeline.nowMs - (heardMs.get(clientId) ?? Number.NEGATIVE_INFINITY)
      const timeoutMs = timeouts.get(clientId) ?? 0
      early.holds(cxid !== 0 || quietMs > timeoutMs - TOUCH_SLACK_MS, () => {
        const quiet = `${quietMs.toFixed(0)} ms`
        return `session ${hex(clientId)} expired ${quiet} after its client was heard`
      })
      return
    }
    const isRefused = txn.kind === 'error' && txn.err === ErrorCode.SESSIONEXPIRED
    open.holds(isRefused || tree.isSessionOpen(clientId, zxid), () => {
      return `${txn.kind} of session ${hex(clientId)} at ${hex(zxid)}, which is not open`
    })
  })
  checkSequences(world, new Rule(world, 'SequenceGrows'))
}

/** Names of sequential children are new, and grow with every create below the parent. */
function checkSequences(world: World, rule: Rule): void {
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
  world.probe.on('committed', ({ zxid, logged: { txn } }: Committed) => {
    if (txn.kind !== 'multi') look(zxid, txn)
    else if (!txn.txns.some(({ kind }) => kind === 'error')) {
      for (const each of txn.txns) look(zxid, each)
    }
  })
}

/** O6: sessions of clients that are gone end, and their ephemerals with them. */
export function waitForSessions(world: World, tree: ReferenceTree): void {
  world.conditions.push(() => {
    const alive = new Set(world.clients.map(({ session }) => session))
    const left = tree.openSessions().find((session) => !alive.has(session))
    return left === undefined ? null : `session ${hex(left)} has no client and does not end`
  })
}
