/**
 * What checkers may see of a run. The world tells, checkers listen; a checker never changes
 * anything. All of it is synchronous and in virtual-time order.
 */
import type { ServerId, SessionId, Zxid } from '../../src/core/base/zxid.ts'
import type { Notification } from '../../src/core/jute/election-records.ts'
import type { QuorumPacket } from '../../src/core/jute/quorum-records.ts'
import type { LoggedTxn } from '../../src/core/jute/txn.ts'
import type { ConnectionId } from '../../src/core/server/effect.ts'
import type {
  LogEntry,
  PersistEffect,
  RecoveredState,
  TraceEvent,
} from '../../src/core/zab/effect.ts'
import type { Service } from '../../src/core/zab/replica.ts'
import type { Op, Outcome } from './operation.ts'
import type { HostView } from './host-view.ts'

export interface Committed {
  readonly zxid: Zxid
  readonly entry: Uint8Array
  readonly logged: LoggedTxn
  /** Place in the one global log, from 0. */
  readonly index: number
}

export interface SimEvents {
  /** A life begins: the machine was made from what the disk held. */
  started: { readonly host: HostView; readonly recovered: RecoveredState }
  /** A life ends, by a crash or because the member halted. */
  stopped: { readonly host: HostView; readonly reason: string }
  /** This member's storage loses entries or all; the disk view still shows what it held. */
  lost: { readonly host: HostView }
  /** Persist effects were emitted; not durable yet. */
  emitted: { readonly host: HostView; readonly effect: PersistEffect }
  /** A batch is on the disk; the host's disk view shows it already. */
  durable: { readonly host: HostView; readonly batch: readonly PersistEffect[] }
  /** A packet of the learner protocol leaves the host. */
  packet: { readonly host: HostView; readonly peer: ServerId; readonly packet: QuorumPacket }
  vote: { readonly host: HostView; readonly peer: ServerId; readonly vote: Notification }
  /** The replica applied an entry; `serving` as of then. */
  delivered: { readonly host: HostView; readonly entry: LogEntry; readonly serving: boolean }
  /** The replica's state was replaced by a snapshot and a log. */
  restored: { readonly host: HostView; readonly last: Zxid }
  service: { readonly host: HostView; readonly service: Service; readonly last: Zxid }
  trace: { readonly host: HostView; readonly event: TraceEvent }
  /** The first server showed that this entry is committed. */
  committed: Committed
  /** One server showed it; every server does so once per life, in its order. */
  'committed-at': { readonly host: HostView; readonly committed: Committed }
  /** Bytes leave for a client. */
  'client-send': { readonly host: HostView; readonly connection: ConnectionId }
  /** The host runs again after `sleptMs`, before it handles anything. */
  thawed: { readonly host: HostView; readonly sleptMs: number }
  /** After one input and everything that it caused. */
  stepped: { readonly host: HostView }
  'session-opened': { readonly client: number; readonly session: SessionId }
  'session-expired': { readonly client: number; readonly session: SessionId }
  /** A client stands on a server; `zxid` is the newest it has seen so far. */
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
  /** The client sent its watches again and the server has answered. */
  'watches-set': { readonly client: number; readonly zxid: bigint }
  /** No more faults from here on. */
  healed: object
  /** Everything has settled; last look. */
  finished: object
}

type Listener<E> = (event: E) => void

export class Probe {
  readonly #listeners = new Map<keyof SimEvents, Listener<never>[]>()

  on<K extends keyof SimEvents>(kind: K, listener: Listener<SimEvents[K]>): void {
    const listeners = this.#listeners.get(kind)
    if (listeners === undefined) this.#listeners.set(kind, [listener])
    else listeners.push(listener)
  }

  emit<K extends keyof SimEvents>(kind: K, event: SimEvents[K]): void {
    const listeners = this.#listeners.get(kind) as Listener<SimEvents[K]>[] | undefined
    if (listeners === undefined) return
    for (const listener of listeners) listener(event)
  }
}

/** The first broken rule of a run; later ones are its consequences. */
export interface Violation {
  readonly checker: string
  readonly what: string
  readonly atMs: number
}

/** How a checker reports. */
export type Fail = (checker: string, what: string) => void
