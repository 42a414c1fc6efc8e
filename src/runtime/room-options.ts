/** What a RoomMember needs of its worker, and what it says of itself. */
import type { ServerId } from '../core/base/zxid.ts'
import type { MemberConfig, MemberStatus } from '../core/server/member-machine.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { Clock } from '../ports/clock.ts'
import type { MemberMeta, Recovered, Storage } from '../ports/storage.ts'
import type { DiskStatus } from './disk-figures.ts'
import type { GuestLimits } from './guest-places.ts'
import type { VerifiedMember } from './peer-table.ts'

export interface MachineIdentity {
  readonly incarnation: string
  readonly publicKey: Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
  readonly storage: Storage
  readonly meta: MemberMeta
}

export interface RoomMemberOptions {
  readonly identity: MachineIdentity
  /** What its storage held when it was opened; the storage must be recovered before it is used. */
  readonly recovered: Recovered
  readonly room: string
  readonly size: number
  readonly linkCreator: string | null
  readonly linkCluster: string | null
  readonly clock: Clock
  readonly every: (intervalMs: number, run: () => void) => () => void
  readonly randomBytes: (length: number) => Uint8Array
  readonly verify: (key: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>
  /** Queue for a member's liveness lock; `onGone` is a crash hint. */
  readonly watchLiveness: (incarnation: string, onGone: () => void, signal: AbortSignal) => void
  readonly tune?: Partial<MemberConfig>
  readonly guestLimits?: GuestLimits
  readonly onTrace: (event: TraceEvent) => void
  readonly onChange: () => void
  readonly onReplaceLink: (linkId: string, reason: string) => void
  /** The link is not wanted any more: the other side is told why. */
  readonly onRefuseLink: (linkId: string, reason: string) => void
  readonly onPageMessage: (linkId: string, bytes: Uint8Array) => void
}

export interface AdmitRequest extends VerifiedMember {
  readonly foundingRecord: Uint8Array | null
  readonly startChain: readonly string[]
}

export interface RoomMemberStatus {
  readonly phase: 'waiting' | 'member' | 'observer' | 'client' | 'failed'
  readonly text: string
  readonly here: number
  readonly size: number
  readonly sid: ServerId | null
  readonly voters: readonly ServerId[]
  readonly creator: string | null
  readonly cluster: string | null
  readonly member: MemberStatus | null
  readonly disk: DiskStatus | null
  readonly peers: readonly (VerifiedMember & { sid: ServerId | null; linkId: string })[]
}
