/** What `joinRoom`, `createRoom` and `Room.openClient` take. */
import type { WorkerStatus } from '../../worker/protocol.ts'
import type { ZooKeeperClientOptions } from '../client/zookeeper-client.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { SignalingState } from '../ports/signaling.ts'
import type { ClientStatus } from './client-tab.ts'

export interface CreateRoomOptions {
  /** How many tabs vote: 1 to 9, and more than half of them must be open. Default 3. */
  readonly size?: number
  /** For people, shown in the link. Default: one made up. */
  readonly name?: string
  /** Address of the page that joins. Default: this page. Its query and fragment are replaced. */
  readonly page?: string | URL
  readonly signal?: AbortSignal
}

/**
 * How this tab and the room are. `text` is one sentence that a person can act on, `phase` what this
 * tab is just now, `member` its server: role, epoch, zxid, sessions, links.
 */
export type RoomStatus = WorkerStatus

/** What every tab may say, whatever its part. */
export interface RoomOptions<Status> {
  /** Of the room: what `createRoom` made or somebody shared. Default: the address of this page. */
  readonly link?: string | URL
  /** ws: or wss: address of the signaling server. Default: `/signal` where the link points to. */
  readonly signaling?: string
  /** STUN and TURN servers, as of RTCPeerConnection. Default none: enough within one network. */
  readonly iceServers?: readonly RTCIceServer[]
  /** `relay`: by the TURN servers only, to test them or to hide addresses. Default `all`. */
  readonly iceTransportPolicy?: 'all' | 'relay'
  /** Leaves the room. */
  readonly signal?: AbortSignal
  /** Rejects with a RoomError `timeout` when this tab has not started by then. Default 30 s. */
  readonly timeoutMs?: number
  /** Called with the first status, then on every change. See also `Room.onStatus`. */
  readonly onStatus?: (status: Status) => void
  /** How the connection to the signaling server is. */
  readonly onSignaling?: (state: SignalingState) => void
  /**
   * When the page is left, ask the ensemble to close its sessions, so that their ephemerals go at
   * once and not when the sessions expire. Default true. Best effort: a crash asks for nothing.
   */
  readonly closeSessionsOnLeave?: boolean
}

/**
 * `member` (the default) runs a server of the ensemble in a worker of this tab, with its log and
 * its snapshots in IndexedDB.
 */
export interface JoinRoomOptions extends RoomOptions<RoomStatus> {
  readonly role?: 'member'
  /**
   * For bundlers that do not carry the workers of packages:
   * `() => new Worker(new URL('zabra/worker', import.meta.url), { type: 'module' })`.
   */
  readonly worker?: () => Worker
  /**
   * While no leader is found, the server of this tab answers reads of clients that accept this:
   * `openClient({ canBeReadOnly: true })`. Sessions opened that way end with it. Default false.
   */
  readonly readOnlyMode?: boolean
  /** What the server of this tab does, for people and tests. `atMs`: since 1970. */
  readonly onTrace?: (event: TraceEvent, atMs: number) => void
  /**
   * `Room.identity` of this tab before a reload; null: whichever is free. Default: kept in
   * `history.state`, and whichever is free when there is none.
   */
  readonly identity?: string | null
}

/** `client` stores nothing and runs no server: it uses those of the others. */
export interface JoinAsClientOptions extends RoomOptions<ClientStatus> {
  readonly role: 'client'
}

export interface OpenClientOptions extends Omit<ZooKeeperClientOptions, 'transport'> {
  readonly signal?: AbortSignal
  /** Rejects with a RoomError `timeout`. Default: waits until the ensemble serves. */
  readonly timeoutMs?: number
}
