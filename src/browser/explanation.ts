/**
 * How a tab and its room are, in one JSON-able object: what `explain()` resolves to and what the
 * "copy this report" button copies. Nothing secret is in it: no room secret, no session password,
 * no TURN credential; addresses are shortened unless they were asked for in full.
 */
import type { DiskStatus } from '../runtime/disk-figures.ts'
import type { StoragePersistence } from '../adapters/tabs/persistence.ts'
import type { CandidateCounts, IceError, IceState } from '../adapters/webrtc/doctor/ice-facts.ts'
import type { Carrier, LinkStage } from '../adapters/webrtc/doctor/link-facts.ts'
import type { CandidateType } from '../adapters/webrtc/doctor/pair-stats.ts'
import type { IcePolicy } from '../adapters/webrtc/ice-settings.ts'

export const REASON_CODES = [
  'serving',
  'starting',
  'waiting-for-machines',
  'client-only',
  'not-running',
  'no-quorum',
  'electing',
  'not-serving',
  'machine-away',
  'no-spare-machine',
  'link-relayed',
  'pair-apart',
  'broker-away',
  'storage-failing',
  'storage-slow',
  'storage-full',
  'storage-private',
  'storage-evictable',
  'digest-mismatch',
] as const
export type ReasonCode = (typeof REASON_CODES)[number]

/** One plain sentence, most important first; the code is stable, the words are not. */
export interface Reason {
  readonly code: ReasonCode
  /** `problem`: something does not work now. `note`: worth knowing. `ok`: as it should be. */
  readonly severity: 'ok' | 'note' | 'problem'
  readonly text: string
  /** What a person can do; null when nothing. */
  readonly help: string | null
}

export interface MachineExplanation {
  readonly sid: number
  readonly isThisTab: boolean
  readonly isLeader: boolean
  /** Heard from within the silence limit. */
  readonly isUp: boolean
  /** ISO time since when it is away, as this tab saw it; null while it is here. */
  readonly awaySince: string | null
  readonly silentMs: number | null
  readonly roundTripMs: number | null
}

/** The connection of this page with one other page. */
export interface LinkExplanation {
  readonly peerId: string
  /** `machine 2`, or `page 1a2b3c` of who is not a voter or was never verified. */
  readonly name: string
  readonly sid: number | null
  readonly state: 'absent' | 'waiting' | 'connecting' | 'connected'
  readonly iceState: IceState | null
  readonly stage: LinkStage | null
  /** `channel`: owned by the worker. `port`: relayed by the page, where channels cannot move. */
  readonly carrier: Carrier | null
  /** Of the pair in use: host, srflx (by STUN), prflx, relay (by TURN). */
  readonly localCandidate: CandidateType | null
  readonly remoteCandidate: CandidateType | null
  readonly protocol: 'udp' | 'tcp' | null
  readonly relayProtocol: 'udp' | 'tcp' | 'tls' | null
  readonly localAddress: string | null
  readonly remoteAddress: string | null
  /** As the connectivity checks measure it. */
  readonly roundTripMs: number | null
  /** Since anything came: as the member hears it, else as the browser counts packets. */
  readonly silentMs: number | null
  readonly upForMs: number | null
  readonly attempts: number
  readonly lastEnd: {
    readonly reason: string
    readonly agoMs: number
    readonly stage: LinkStage
  } | null
  readonly candidates: { readonly local: CandidateCounts; readonly remote: CandidateCounts } | null
  readonly errors: readonly IceError[]
}

export interface StorageExplanation extends StoragePersistence {
  /** Every batch is on disk before it is acknowledged; null where nothing is stored. */
  readonly durability: 'strict' | null
  readonly disk: DiskStatus | null
}

export interface Explanation {
  /** ISO time. */
  readonly at: string
  readonly build: string
  readonly browser: string
  readonly isHidden: boolean
  /** Why all is well, or why not: plain sentences, the most important first. Never empty. */
  readonly reasons: readonly Reason[]
  readonly member: {
    readonly phase: string
    readonly text: string
    readonly sid: number | null
    readonly role: string | null
    readonly epoch: number | null
    readonly leader: number | null
    readonly zxid: string | null
    readonly isServing: boolean
    readonly whyNotServing: string | null
    readonly quorum: {
      readonly needed: number
      readonly voters: number
      readonly here: number
      readonly isReachable: boolean
    } | null
  }
  readonly machines: readonly MachineExplanation[]
  readonly links: readonly LinkExplanation[]
  readonly storage: StorageExplanation
  readonly signaling: {
    readonly state: 'connecting' | 'joined' | 'waiting' | 'closed'
    readonly reason: string | null
    readonly retryInMs: number | null
    /** Pages of the room at the broker, this one included. */
    readonly pages: number
  }
  readonly ice: {
    /** Addresses only. */
    readonly servers: readonly string[]
    readonly policy: IcePolicy
  }
}

/** `192.168.…` and `2001:db8:…`: enough to tell networks apart, not enough to find anybody. */
export function shortAddress(address: string | null): string | null {
  if (address === null || /^(127\.|::1$)/.test(address)) return address
  if (/\.local$/i.test(address)) return '….local'
  const four = /^(\d+\.\d+)\.\d+\.\d+$/.exec(address)?.[1]
  if (four !== undefined) return `${four}.…`
  const six = /^([0-9a-f]*:[0-9a-f]*):/i.exec(address)?.[1]
  return six === undefined ? '…' : `${six}:…`
}
