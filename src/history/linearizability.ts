/**
 * Linearizability of writes and conditional operations (T49). The global log is the order: each
 * answered write stands in it at the zxid of its reply, its outcome follows from the state right
 * before, and it comes after every write that somebody had been told of when it was invoked.
 * AckedIsCommitted (T48): no client is told of a write that the log lacks.
 * SessionOrder (S15, T44): the log has a session's writes in the order of its calls, also those
 * that its client left behind at another server. What comes too late is refused.
 */
import { equal } from '../core/base/bytes.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { OpCode } from '../core/jute/op-code.ts'
import type { Txn } from '../core/jute/txn.ts'
import { describeCall, isWrite, type Op, type Outcome, sessionOf } from './operation.ts'
import type { Committed, JudgedHistory } from './history-events.ts'
import { expectedError, type ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

const SEQUENTIAL = 2

export class Linearizability {
  readonly #rule: Rule
  readonly #acked: Rule
  readonly #order: Rule
  readonly #tree: ReferenceTree
  readonly #unexplained: ReadonlySet<number>
  readonly #mayBeLocal: boolean
  readonly #ops = new Map<string, Op>()
  readonly #txns = new Map<string, Committed>()
  /** The newest call of each session that the log has, by client: each counts its own. */
  readonly #newest = new Map<string, number>()

  /** `mayBeLocal`: of sessions that one server keeps the log knows nothing (S22). */
  constructor(history: JudgedHistory, tree: ReferenceTree, mayBeLocal: boolean = false) {
    this.#mayBeLocal = mayBeLocal
    this.#rule = new Rule(history, 'Linearizability')
    this.#acked = new Rule(history, 'AckedIsCommitted')
    this.#order = new Rule(history, 'SessionOrder')
    this.#tree = tree
    this.#unexplained = history.unexplained
    const { probe } = history
    probe.on('invoked', ({ op }) => {
      if (isWrite(op.call)) this.#ops.set(keyOf(op.session, op.xid), op)
    })
    probe.on('committed', (committed) => this.#onCommitted(committed))
    probe.on('completed', ({ op, outcome }) => {
      if (isWrite(op.call) && outcome.isReadOnly !== true) this.#onCompleted(op, outcome)
    })
  }

  #onCommitted(committed: Committed): void {
    const { header, txn } = committed.logged
    const key = keyOf(header.clientId, header.cxid)
    const op = this.#ops.get(key)
    if (op === undefined || header.cxid === 0) return
    const { call } = op
    this.#rule.holds(!this.#txns.has(key), () => `${describeCall(op.call)} is committed twice`)
    this.#txns.set(key, committed)
    this.#rule.holds(header.zxid > op.ackedFloor, () => {
      const floor = `${hex(op.ackedFloor)}, which was acknowledged before it began`
      return `${describeCall(op.call)} is ordered at ${hex(header.zxid)}, before ${floor}`
    })
    if (!isTooLate(txn)) this.#checkTurn(op, header.zxid)
    this.#checkOutcome(op, header.zxid, txn)
    if ((call.kind === 'create' || call.kind === 'set') && 'data' in txn) {
      const isSame = equal(call.data, txn.data ?? NO_DATA)
      this.#rule.holds(isSame, () => `${describeCall(call)} at ${hex(header.zxid)} has other data`)
    }
  }

  #checkTurn(op: Op, zxid: bigint): void {
    const { session, xid, call } = op
    const whose = sessionOf(op)
    const newest = this.#newest.get(whose) ?? 0
    this.#order.holds(xid > newest, () => {
      const what = `${describeCall(call)}, call ${xid} of session ${hex(session)}`
      return `${what}, is done at ${hex(zxid)} after call ${newest}`
    })
    this.#newest.set(whose, xid)
  }

  /** The model has applied it already: versions up to zxid − 1 are the state before. */
  #checkOutcome(op: Op, zxid: bigint, txn: Txn): void {
    const { call } = op
    const actual = txn.kind === 'error' ? txn.err : ErrorCode.OK
    if (isTooLate(txn)) return
    const tree = this.#tree
    if (this.#unexplained.has(actual)) return
    let expected: number
    if (call.kind === 'create') {
      const isSequential = (call.flags & SEQUENTIAL) !== 0
      expected = expectedError(tree, zxid, { kind: 'create', path: call.path, isSequential })
    } else if (call.kind === 'set' || call.kind === 'delete') {
      expected = expectedError(tree, zxid, call)
    } else return
    this.#rule.holds(actual === expected, () => {
      return `${describeCall(call)} at ${hex(zxid)} came to ${actual} instead of ${expected}`
    })
  }

  #onCompleted(op: Op, outcome: Outcome): void {
    const committed = this.#txns.get(keyOf(op.session, op.xid))
    // What is refused for a reason that the log does not tell need not be in it.
    if (committed === undefined && this.#unexplained.has(outcome.err)) return
    const endsLocally = this.#mayBeLocal && op.call.kind === 'close'
    if (committed === undefined && endsLocally) return
    this.#acked.holds(committed !== undefined, () => {
      return `${describeCall(op.call)} was answered at ${hex(outcome.zxid)} and is not in the log`
    })
    if (committed === undefined) return
    const { zxid, logged } = committed
    this.#acked.holds(outcome.zxid === zxid, () => {
      const where = `${hex(zxid)} in the log, ${hex(outcome.zxid)} in its reply`
      return `${describeCall(op.call)} is ${where}`
    })
    const err = logged.txn.kind === 'error' ? logged.txn.err : ErrorCode.OK
    this.#acked.holds(outcome.err === err, () => {
      return `${describeCall(op.call)} is ${err} in the log and ${outcome.err} in its reply`
    })
    this.#checkStat(op, outcome, zxid)
    this.#checkMulti(op, outcome, logged.txn)
  }

  #checkStat({ call }: Op, { stat, path }: Outcome, zxid: bigint): void {
    if (stat === undefined || (call.kind !== 'create' && call.kind !== 'set')) return
    const node = this.#tree.at(path ?? call.path, zxid)
    const isSame = node?.version === stat.version && node.mzxid === stat.mzxid
    this.#rule.holds(isSame, () => {
      const told = `version ${stat.version}, mzxid ${hex(stat.mzxid)}`
      return `${describeCall(call)} at ${hex(zxid)} answered ${told}`
    })
  }

  #checkMulti({ call }: Op, { results }: Outcome, txn: Txn): void {
    if (call.kind !== 'multi' || txn.kind !== 'multi' || results === undefined) return
    const isFailed = txn.txns.some(({ kind }) => kind === 'error')
    const isTold = results.some(({ type }) => type === OpCode.error)
    const isWhole = results.length === call.ops.length && isFailed === isTold
    this.#rule.holds(isWhole, () => `multi: ${results.length} results, failed ${isTold}`)
  }
}

/** Its session was another server's then, or over: logged as an error, in a multi as its parts'. */
function isTooLate(txn: Txn): boolean {
  if (txn.kind === 'multi') return txn.txns.some(isTooLate)
  if (txn.kind !== 'error') return false
  return txn.err === ErrorCode.SESSIONMOVED || txn.err === ErrorCode.SESSIONEXPIRED
}

const NO_DATA = new Uint8Array(0)

function keyOf(session: bigint, xid: number): string {
  return `${session}/${xid}`
}
