/**
 * Judges a recording afterwards, with the judges of the simulator. The log is told first and whole:
 * what it was at any zxid can be asked later, so it need not be known when an entry was committed.
 */
import { toServerId, toSessionId, toZxid } from '../core/base/zxid.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { decodeTxn } from '../core/jute/txn.ts'
import { followCommitted } from './committed-model.ts'
import { checkFreshness } from './freshness.ts'
import {
  EventTeller,
  type HistoryEvents,
  type JudgedHistory,
  type Violation,
} from './history-events.ts'
import { Linearizability } from './linearizability.ts'
import { checkMembers } from './members.ts'
import { isWrite, type Op } from './operation.ts'
import { checkReadOnly } from './read-only.ts'
import { checkReads } from './reads.ts'
import type { RecordedTree } from './recorded-tree.ts'
import type { RecordedEvent, Recording } from './recording.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'
import { checkSequences } from './sequences.ts'
import { checkSessions } from './sessions.ts'
import { Watches } from './watches.ts'

/** More of them are the same again. */
const VIOLATIONS_MAX = 100

/** What is promised, and the rules that say whether it was kept. */
export const PROMISES = {
  linearizable: [
    'Linearizability',
    'ReadsShowTheLog',
    'SessionOrder',
    'SequenceGrows',
    'WithoutLeader',
  ],
  noLostWrites: ['AckedIsCommitted', 'LogIsWhole', 'DigestEquality', 'MembersMeet'],
  watchesInOrder: ['WatchOrder', 'WatchOneShot', 'WatchComplete'],
  oneLeader: ['Leadership2'],
  sessionsEnd: ['SessionIsOpen', 'EphemeralOwnerAlive'],
  callsInOrder: ['ReplyOrder', 'EveryCallSettles'],
  fresh: ['BoundedStaleness'],
} as const

export type Promised = keyof typeof PROMISES

/** What no log explains: rights, quotas, limits, and what the connection itself refuses. */
const UNEXPLAINED: ReadonlySet<number> = new Set<number>([
  ErrorCode.NOAUTH,
  ErrorCode.INVALIDACL,
  ErrorCode.AUTHFAILED,
  ErrorCode.QUOTAEXCEEDED,
  ErrorCode.THROTTLEDOP,
  ErrorCode.BADARGUMENTS,
  ErrorCode.MARSHALLINGERROR,
  ErrorCode.UNIMPLEMENTED,
  ErrorCode.SYSTEMERROR,
  ErrorCode.NOTREADONLY,
  ErrorCode.EPHEMERALONLOCALSESSION,
  ErrorCode.SESSIONEXPIRED,
  ErrorCode.SESSIONMOVED,
  ErrorCode.RECONFIGDISABLED,
  ErrorCode.RECONFIGINPROGRESS,
  ErrorCode.NEWCONFIGNOQUORUM,
  ErrorCode.NOWATCHER,
])

export interface JudgeOptions {
  /** Answers that are older than that are a violation; by default none are. */
  readonly staleAfterMs?: number
  /** The members keep local sessions, of which the log knows nothing. */
  readonly localSessions?: boolean
}

export interface Verdict {
  readonly violations: readonly Violation[]
  /** Rules looked at; 0 would prove nothing. */
  readonly checks: number
  readonly operations: number
  /** What the log has made at its end: `before` of the history that goes on. null: no log. */
  readonly after: RecordedTree | null
  /** Of `violations`, those against one promise. */
  against(promised: Promised): readonly Violation[]
}

export function judgeHistory(recording: Recording, options: JudgeOptions = {}): Verdict {
  const told = new ToldHistory()
  const { staleAfterMs } = options
  checkMembers(told, recording)
  // Without its log nothing says what an answer should have been.
  let tree: ReferenceTree | null = null
  if (recording.log !== null) {
    tree = followCommitted(told, recording.before)
    new Linearizability(told, tree, options.localSessions)
    checkReads(told, tree)
    checkReadOnly(told, tree)
    checkSessions(told, tree, options.localSessions)
    checkSequences(told)
    new Watches(told, tree)
  }
  if (staleAfterMs !== undefined) {
    checkFreshness(told, staleAfterMs + recording.clockUncertaintyMs)
  }
  told.tell(recording)
  const { violations, checks, operations } = told
  return {
    violations,
    checks,
    operations,
    after: tree?.asRecorded() ?? null,
    against: (promised) => {
      const rules: readonly string[] = PROMISES[promised]
      return violations.filter(({ checker }) => rules.includes(checker))
    },
  }
}

class ToldHistory implements JudgedHistory {
  readonly probe = new EventTeller<HistoryEvents>()
  readonly unexplained: ReadonlySet<number> = UNEXPLAINED
  readonly violations: Violation[] = []
  readonly ruleNames = new Set<string>()
  checks = 0
  nowMs = 0
  newestAcked = 0n
  operations = 0
  readonly #connected = new Set<number>()
  readonly #passed = new Set<Op>()
  #last = 0n
  readonly #order = new Rule(this, 'ReplyOrder')
  readonly #settled = new Rule(this, 'EveryCallSettles')
  readonly #whole = new Rule(this, 'LogIsWhole')

  fail(checker: string, what: string): void {
    if (this.violations.length < VIOLATIONS_MAX) {
      this.violations.push({ checker, what, atMs: this.nowMs })
    }
  }

  isConnected(client: number): boolean {
    return this.#connected.has(client)
  }

  tell(recording: Recording): void {
    const events = recording.events.toSorted((a, b) => a.atMs - b.atMs)
    const ops = opsOf(events, recording.clockUncertaintyMs)
    // A call is known before its entry; an entry before any answer that shows it.
    for (const op of ops.values()) this.#emit(op.invokedAtMs, 'invoked', { op })
    this.nowMs = events[0]?.atMs ?? 0
    this.#last = recording.before?.zxid ?? 0n
    for (const [index, bytes] of (recording.log ?? []).entries()) this.#commit(bytes, index)
    const waiting = new Map<number, Op[]>()
    for (const event of events) {
      this.nowMs = event.atMs
      this.#tellEvent(event, ops, waiting)
    }
    for (const op of [...waiting.values()].flat()) {
      this.#settled.holds(false, () => `call ${op.xid} of client ${op.client} has no answer`)
    }
    this.probe.emit('finished', {})
  }

  #emit<K extends keyof HistoryEvents>(atMs: number, kind: K, event: HistoryEvents[K]): void {
    this.nowMs = atMs
    this.probe.emit(kind, event)
  }

  #commit(bytes: Uint8Array, index: number): void {
    try {
      const logged = decodeTxn(bytes)
      const zxid = toZxid(logged.header.zxid)
      const isNext = zxid === this.#last + 1n || (zxid >> 32n > this.#last >> 32n && isFirst(zxid))
      this.#whole.holds(isNext, () => `the log has ${hex(zxid)} after ${hex(this.#last)}`)
      this.#last = zxid
      this.probe.emit('committed', { zxid, logged, index })
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      this.#whole.holds(false, () => `entry ${index} of the log: ${error.message}`)
    }
  }

  #tellEvent(event: RecordedEvent, ops: OpsByKey, waiting: Map<number, Op[]>): void {
    const { client } = event
    const queue = waiting.get(client) ?? []
    waiting.set(client, queue)
    switch (event.kind) {
      case 'call': {
        const op = ops.get(keyOf(event))
        if (op !== undefined) queue.push(op)
        return
      }
      case 'answer':
      case 'lost':
        return this.#settle(event, queue)
      case 'connected': {
        const session = toSessionId(event.session)
        this.#connected.add(client)
        if (event.isNew) this.probe.emit('session-opened', { client, session })
        const server = toServerId(event.server)
        return this.probe.emit('connected', { client, session, server })
      }
      case 'disconnected':
        this.#connected.delete(client)
        return
      case 'expired': {
        const session = toSessionId(event.session)
        return this.probe.emit('session-expired', { client, session })
      }
      case 'event': {
        const { zxid, type, path } = event
        const session = toSessionId(event.session)
        return this.probe.emit('watch-event', { client, session, zxid, type, path })
      }
      case 'watches-set':
        return this.probe.emit('watches-set', { client, zxid: event.zxid, sent: event.sent })
    }
  }

  #settle(event: Extract<RecordedEvent, { kind: 'answer' | 'lost' }>, queue: Op[]): void {
    const at = queue.findIndex(({ session, xid }) => session === event.session && xid === event.xid)
    const [op] = at < 0 ? [] : queue.splice(at, 1)
    this.#settled.holds(op !== undefined, () => {
      return `client ${event.client} gets an answer to ${event.xid}, which nobody asked`
    })
    if (op === undefined) return
    if (event.kind === 'lost') return this.probe.emit('unknown', { op })
    // Told once of each that was passed over.
    const passed = queue.slice(0, at).filter((each) => !this.#passed.has(each))
    for (const each of passed) this.#passed.add(each)
    this.#order.holds(passed.length === 0, () => {
      return `client ${event.client} gets the answer to ${event.xid} before an earlier one`
    })
    this.operations++
    const { outcome } = event
    const isDone = isWrite(op.call) && outcome.err === 0 && outcome.isReadOnly !== true
    if (isDone && outcome.zxid > this.newestAcked) {
      this.newestAcked = outcome.zxid
    }
    this.probe.emit('completed', { op, outcome })
  }
}

type OpsByKey = ReadonlyMap<string, Op>

/**
 * Calls with the newest write that anybody had certainly been told of before: with clocks that are
 * `uncertaintyMs` apart, what was answered so much earlier.
 */
function opsOf(events: readonly RecordedEvent[], uncertaintyMs: number): OpsByKey {
  const ops = new Map<string, Op>()
  const acked: { readonly atMs: number; readonly newest: bigint }[] = []
  const writes = new Set<string>()
  for (const event of events) {
    const { atMs, client } = event
    if (event.kind === 'call') {
      const { session, xid, call } = event
      const before = acked.findLast((each) => each.atMs < atMs - uncertaintyMs)
      const op = { client, session, xid, call, invokedAtMs: atMs }
      ops.set(keyOf(event), { ...op, ackedFloor: before?.newest ?? 0n })
      if (isWrite(call)) writes.add(keyOf(event))
    } else if (event.kind === 'answer' && event.outcome.err === 0 && writes.has(keyOf(event))) {
      const newest = acked.at(-1)?.newest ?? 0n
      const { zxid, isReadOnly } = event.outcome
      if (zxid > newest && isReadOnly !== true) acked.push({ atMs, newest: zxid })
    }
  }
  return ops
}

function keyOf({ session, xid }: { readonly session: bigint; readonly xid: number }): string {
  return `${session}/${xid}`
}

/** An epoch's first entry. */
function isFirst(zxid: bigint): boolean {
  return (zxid & 0xffff_ffffn) === 1n
}
