/**
 * What checkers may see of a run. The world tells, checkers listen; a checker never changes
 * anything. All of it is synchronous and in virtual-time order.
 */
import type { ServerId, Zxid } from '../../src/core/base/zxid.ts'
import type { SignedFoundingRecord } from '../../src/core/founding/founding-record.ts'
import type { Notification } from '../../src/core/jute/election-records.ts'
import type { QuorumPacket } from '../../src/core/jute/quorum-records.ts'
import type { ConnectionId } from '../../src/core/server/effect.ts'
import type {
  LogEntry,
  PersistEffect,
  RecoveredState,
  TraceEvent,
} from '../../src/core/zab/effect.ts'
import type { Service } from '../../src/core/zab/replica.ts'
import {
  EventTeller,
  type Committed,
  type HistoryEvents,
} from '../../src/history/history-events.ts'
import type { HostView } from './host-view.ts'

/** With its bytes. */
export interface SimCommitted extends Committed {
  readonly entry: Uint8Array
}

export interface SimEvents extends HistoryEvents {
  /** A life begins: the machine was made from what the disk held. */
  started: { readonly host: HostView; readonly recovered: RecoveredState }
  /** A life ends, by a crash or because the member halted. */
  stopped: { readonly host: HostView; readonly reason: string }
  /** This member's storage loses entries or all; the disk view still shows what it held. */
  lost: { readonly host: HostView }
  /** Persist effects were emitted; not durable yet. */
  emitted: { readonly host: HostView; readonly effect: PersistEffect }
  /** A batch is on the disk; the host's disk view shows it already. */
  durable: {
    readonly host: HostView
    readonly batch: readonly PersistEffect[]
    /** What was to be written behind it when the process died. */
    readonly cutOff: readonly PersistEffect[]
  }
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
  committed: SimCommitted
  /** Bytes leave for a client. */
  'client-send': { readonly host: HostView; readonly connection: ConnectionId }
  /** The host runs again after `sleptMs`, before it handles anything. */
  thawed: { readonly host: HostView; readonly sleptMs: number }
  /** After one input and everything that it caused. */
  stepped: { readonly host: HostView }
  /** Something is broken on purpose, or has an end that is known already. */
  fault: { readonly what: string; readonly sids: readonly number[]; readonly untilMs?: number }
  /** A founding record is on this machine's disk. */
  pinned: { readonly incarnation: string; readonly signed: SignedFoundingRecord }
  /** It passes a founding record on; `onDisk` is what it holds itself. */
  spread: {
    readonly incarnation: string
    readonly envelope: Uint8Array
    readonly onDisk: Uint8Array | null
  }
  /** A life of a machine takes a voter's seat. */
  seated: {
    readonly sid: ServerId
    readonly incarnation: string
    readonly publicKey: Uint8Array
    readonly signed: SignedFoundingRecord
    readonly onDisk: Uint8Array | null
  }
  /** No more faults from here on. */
  healed: object
}

export class Probe extends EventTeller<SimEvents> {}
