/**
 * What judges hear of a history, and how they report. The simulator tells it as it happens; a
 * recording is told afterwards (judge-history.ts). A judge never changes anything.
 */
import type { ServerId, SessionId, Zxid } from '../core/base/zxid.ts'
import type { LoggedTxn } from '../core/jute/txn.ts'
import type { Op, Outcome } from './operation.ts'
import type { RecordedTree } from './recorded-tree.ts'

export interface Committed {
  readonly zxid: Zxid
  readonly logged: LoggedTxn
  /** Place in the one global log, from 0. */
  readonly index: number
  /** A backup took the place of the whole state here; `logged` says nothing. */
  readonly replaced?: RecordedTree
}

/** Paths whose watches a client sent again, by table. */
export interface SentWatches {
  readonly data: readonly string[]
  readonly exist: readonly string[]
  readonly child: readonly string[]
}

export interface HistoryEvents {
  /** The next entry of the one log; told before any answer that shows it. */
  committed: Committed
  'session-opened': { readonly client: number; readonly session: SessionId }
  'session-expired': { readonly client: number; readonly session: SessionId }
  /** A client stands on a server, with a new session or with the one that it had. */
  connected: { readonly client: number; readonly session: SessionId; readonly server: ServerId }
  invoked: { readonly op: Op }
  completed: { readonly op: Op; readonly outcome: Outcome }
  /** Connection lost: the operation may have happened or not. */
  unknown: { readonly op: Op }
  'watch-event': {
    readonly client: number
    readonly session: SessionId
    readonly zxid: bigint
    readonly type: number
    readonly path: string
  }
  /**
   * The client sent its watches again and the server has answered at `zxid`; 0 where there was
   * nothing to send. Without `sent` it sent all that it had.
   */
  'watches-set': { readonly client: number; readonly zxid: bigint; readonly sent?: SentWatches }
  /** Everything has settled; last look. */
  finished: object
}

export interface HistorySource {
  on<K extends keyof HistoryEvents>(kind: K, listener: (event: HistoryEvents[K]) => void): void
}

/** How judges count and report. */
export interface Verdicts {
  /** Rules looked at, by all judges. */
  checks: number
  /** Of all rules that somebody looks at. */
  readonly ruleNames: Set<string>
  fail(checker: string, what: string): void
}

/** What a judge is given. */
export interface JudgedHistory extends Verdicts {
  readonly probe: HistorySource
  /** When what is told now happened. */
  readonly nowMs: number
  /** Newest zxid that any client was told of as the result of a write. */
  readonly newestAcked: bigint
  /** Refusals that the log alone does not explain, as of ACLs and quotas: nobody is blamed. */
  readonly unexplained: ReadonlySet<number>
  isConnected(client: number): boolean
}

/** A broken rule. */
export interface Violation {
  readonly checker: string
  readonly what: string
  readonly atMs: number
}

type Listener<E> = (event: E) => void

/** Tells events to whoever listens: synchronously, in the order in which they listened. */
export class EventTeller<Events> {
  readonly #listeners = new Map<keyof Events, Listener<never>[]>()

  on<K extends keyof Events>(kind: K, listener: Listener<Events[K]>): void {
    const listeners = this.#listeners.get(kind)
    if (listeners === undefined) this.#listeners.set(kind, [listener])
    else listeners.push(listener)
  }

  emit<K extends keyof Events>(kind: K, event: Events[K]): void {
    const listeners = this.#listeners.get(kind) as Listener<Events[K]>[] | undefined
    if (listeners === undefined) return
    for (const listener of listeners) listener(event)
  }
}
