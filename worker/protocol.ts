/**
 * What the page and its member's Web Worker say to each other over comlink. Types only.
 *
 * The page owns what workers cannot have: RTCPeerConnection, the address bar, pagehide. The worker
 * owns everything that must outlive a busy page: storage, Zab, sessions, heartbeats.
 */
import type { CopyFacts } from '../src/core/server/ensemble-copy.ts'
import type { MemberStatus } from '../src/core/server/member-machine.ts'
import type { TraceEvent } from '../src/core/zab/effect.ts'
import type { DiskStatus } from '../src/runtime/disk-figures.ts'

export interface StartOptions {
  /** Room name as in the link. */
  readonly room: string
  /** Hash of name and secret: what the broker calls the room; names databases and locks too. */
  readonly roomId: string
  /** Voters of the ensemble to found (link's `size`, default 3). */
  readonly size: number
  /** CREATOR of the link, null when the link was typed by hand. */
  readonly creator: string | null
  /** CLUSTER of the link, null while the room is not founded. */
  readonly cluster: string | null
  /** The identity this tab had before a reload, from history.state. */
  readonly previousIncarnation: string | null
  /** Answer reads while no leader is found (S37). */
  readonly readOnlyMode: boolean
  /** Peer id of this page life at the broker: the order of arrival names the first candidate. */
  readonly peerId: string
}

export interface StartResult {
  readonly incarnation: string
  /** Raw public key. */
  readonly publicKey: Uint8Array
}

/** What the page puts into its handshake; asked anew for each handshake. */
export interface HelloFields {
  readonly incarnation: string
  readonly publicKey: Uint8Array
  readonly clusterId: string | null
  readonly foundingRecord: Uint8Array | null
  readonly startChain: readonly string[]
}

export interface AdmittedPeer {
  readonly peerId: string
  readonly incarnation: string
  readonly publicKey: Uint8Array
  readonly clusterId: string | null
  readonly foundingRecord: Uint8Array | null
  readonly startChain: readonly string[]
  readonly isClient?: boolean
  readonly isNode?: boolean
}

export type ChannelLabel = 'quorum' | 'client'

export type Phase =
  /** Opening storage and identity. */
  | 'starting'
  /** Not founded yet, or the record has not reached us. */
  | 'waiting'
  /** A voter of the ensemble. */
  | 'member'
  /** Not a voter: learns all that is committed, serves its tab, has no vote. */
  | 'observer'
  /** No place as an observer (yet): reaches the ensemble as a client only. */
  | 'client'
  /** Storage failed or the member halted; the page may still be a client. */
  | 'failed'

export interface PeerStatus {
  readonly peerId: string
  readonly incarnation: string
  /** Of a voter or an observer; null for a page that is neither. */
  readonly sid: number | null
  readonly linkId: string
  /** A process of Node (`zabra join`), not a tab. */
  readonly isNode?: boolean
}

export interface WorkerStatus {
  readonly phase: Phase
  /** One sentence a person can act on. */
  readonly text: string
  readonly size: number
  /** Founding candidates here, this one included (phase waiting). */
  readonly here: number
  readonly sid: number | null
  /** Voter ids in order, empty before the founding. */
  readonly voters: readonly number[]
  readonly incarnation: string | null
  readonly creator: string | null
  readonly cluster: string | null
  readonly member: MemberStatus | null
  /** What the storage did for the member; null while none runs. */
  readonly disk: DiskStatus | null
  readonly peers: readonly PeerStatus[]
  /** Where a client of this tab can connect now. */
  readonly reachable: readonly (number | 'local')[]
  /** Why voters do not link with this tab, in their words. The page adds it; absent: none. */
  readonly refusals?: readonly string[]
  /** Builds that linked pages run and this one does not. The page adds it; absent: none. */
  readonly otherBuilds?: readonly string[]
}

export interface WorkerListener {
  onStatus(status: WorkerStatus): void
  /** `atMs`: when it happened, since 1970; the page may be busy for long before it hears of it. */
  onTrace(event: TraceEvent, atMs: number): void
  /** The worker asks the page to replace a link by a fresh connection. */
  onReplaceLink(linkId: string, reason: string): void
  /** The worker does not want this link any more; the other page hears why. */
  onRefuseLink(linkId: string, reason: string): void
  /** Send this to the other page over simple-peer's own channel (founding records). */
  onPageMessage(linkId: string, bytes: Uint8Array): void
}

/** The founder of a new ensemble, made from a copy of this one. */
export interface NewFounder {
  /** CREATOR for the new room's link. */
  readonly creator: string
  readonly incarnation: string
}

/** The comlink interface of worker/member.worker.ts. */
export interface MemberApi {
  subscribe(listener: WorkerListener): Promise<void>
  start(options: StartOptions): Promise<StartResult>
  stop(): Promise<void>
  status(): Promise<WorkerStatus>
  hello(): Promise<HelloFields>
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * Must be called in the very task that made the channel (browser-facts, rule 4). Before `start`
   * has resolved, too: connections are made while the storage opens.
   */
  attachChannel(linkId: string, label: ChannelLabel, channel: RTCDataChannel): Promise<void>
  /** The relay for browsers that cannot transfer channels. */
  attachRelay(linkId: string, label: ChannelLabel, port: MessagePort): Promise<void>
  /** A handshake was verified on this link. Resolves with null, or why the peer is refused. */
  admit(linkId: string, peer: AdmittedPeer): Promise<string | null>
  /** The other side was let in by the page's handshake: page messages can go. */
  opened(linkId: string): Promise<void>
  detach(linkId: string, reason: string): Promise<void>
  /** Bytes from the other page over simple-peer's own channel. */
  pageMessage(linkId: string, bytes: Uint8Array): Promise<void>
  /** Order of arrival of everyone at the broker, first first: names the hand-typed creator. */
  arrivals(peerIds: readonly string[]): Promise<void>
  /** What a new ensemble from this machine's copy would have and miss; null: no member runs. */
  copyFacts(): Promise<CopyFacts | null>
  /**
   * Makes a new identity in that room, whose storage begins with this machine's copy: the creator
   * of a new ensemble. Of this machine nothing is touched. Rejects when no member runs.
   */
  makeFounder(roomId: string): Promise<NewFounder>
  /** A hint that a peer died (broker saw its socket drop). */
  suspect(peerId: string): Promise<void>
  /**
   * What this machine heard and asked for, as a file (gzip) for `npm run replay`; null: no member
   * ran here yet. Without `payloads` what applications stored is masked; secrets always are.
   */
  flightRecording(payloads: boolean): Promise<Uint8Array | null>
  /** Bridge a client connection to the own member ('local') or to a voter by its id. */
  connectClient(port: MessagePort, target: number | 'local'): Promise<void>
}
