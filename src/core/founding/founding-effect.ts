/**
 * What goes into the founding rules and what comes out: closed unions, as in the rest of the core.
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { SignedFoundingRecord } from './founding-record.ts'

/** Which record somebody holds, by the names that links use. */
export interface HeldRecord {
  readonly creator: string
  readonly cluster: string
}

export interface FoundingConfig {
  readonly room: string
  /** Voters to found, from the link. */
  readonly size: number
  /** CREATOR of the link; null = typed by hand. */
  readonly linkCreator: string | null
  /** CLUSTER of the link; null = not known to exist. */
  readonly linkCluster: string | null
  /** Raw public key of this tab; its storage is on disk already. */
  readonly publicKey: Uint8Array
  /** The record this storage pinned. */
  readonly stored: SignedFoundingRecord | null
  /**
   * ZXID_NONE, or the state in this tab's storage, put there for an ensemble that it is to found:
   * it pins no record but its own.
   */
  readonly origin: Zxid
  /** Random bytes for the record, should this tab write it. Never used twice. */
  readonly fresh: { readonly clusterId: Uint8Array; readonly sessionKey: Uint8Array }
}

export type FoundingInput =
  /** A link to a peer whose key was proved. The same peer again replaces what was known of it. */
  | {
      readonly kind: 'candidate'
      readonly publicKey: Uint8Array
      /** As the peer says; a durable record only. */
      readonly holds: HeldRecord | null
    }
  | { readonly kind: 'candidate-gone'; readonly incarnation: string }
  /** Hand-typed links: whom the broker names first, once it is known who that is. */
  | { readonly kind: 'first-candidate'; readonly incarnation: string }
  /** A record, parsed, whose signature by `signer` was verified. */
  | {
      readonly kind: 'record'
      readonly from: string
      readonly signed: SignedFoundingRecord
      readonly signer: Uint8Array
    }
  /** Answer to `sign`. */
  | { readonly kind: 'signature'; readonly signature: Uint8Array }
  /** Answer to `pin`: record and empty snapshot are on disk. */
  | { readonly kind: 'pinned' }

export type RefusalReason =
  /** The signer is not the creator in the record. */
  | 'forged'
  | 'other-room'
  /** Not the CREATOR, or not the CLUSTER, of this tab's link. */
  | 'not-the-links'
  /** This tab belongs to another ensemble already. */
  | 'second-ensemble'

export type FoundingDecision =
  /**
   * Sign foundingBytesToSign(body) with the own key and feed `signature`. Nothing is decided yet.
   */
  | { readonly kind: 'sign'; readonly body: Uint8Array }
  /** Commit strictly, with the empty snapshot of zxid 0, and feed `pinned`. Once in a life. */
  | { readonly kind: 'pin'; readonly signed: SignedFoundingRecord }
  /** To a peer that lacks it. Only after `pinned`. */
  | { readonly kind: 'send-record'; readonly to: string; readonly envelope: Uint8Array }
  /** Only after `pinned`, once. `sid` null = client only. */
  | {
      readonly kind: 'start'
      readonly sid: ServerId | null
      readonly signed: SignedFoundingRecord
    }
  /** `from` null: the link itself is refused, nothing follows. */
  | {
      readonly kind: 'refuse'
      readonly from: string | null
      readonly reason: RefusalReason
      readonly text: string
    }

export type FoundingPhase = 'waiting' | 'signing' | 'pinning' | 'founded' | 'refused'

export interface FoundingStatus {
  readonly phase: FoundingPhase
  /** One sentence for the page. */
  readonly text: string
  /** Candidates linked to this tab, itself included. */
  readonly here: number
  readonly size: number
  readonly creator: 'self' | 'here' | 'away' | 'unnamed'
  /** What the page puts into its address; null until the record is on disk. */
  readonly holds: HeldRecord | null
  /** Someone of this room belongs to another ensemble. */
  readonly secondEnsemble: boolean
}
