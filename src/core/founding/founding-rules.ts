/**
 * How a room becomes an ensemble, at most one (design §4, Founding). Pure: inputs in, decisions
 * out; signatures and disk are the caller's.
 *
 * Invariants
 * - A record is signed only by the key that the link names as CREATOR (hand-typed: by whom the
 *   broker named first), and never by a tab that holds a record or a link with CLUSTER.
 * - Spread ⇒ durable here: `send-record` and `start` come after `pinned`.
 * - Pinned once: after `pin` every other record is refused, for ever, by the storage too.
 * So a crash at any moment leaves either nothing that anyone saw or a record that is never
 * replaced.
 */
import { assert, unreachable } from '../base/assert.ts'
import { equal } from '../base/bytes.ts'
import { toServerId, ZXID_NONE } from '../base/zxid.ts'
import type {
  FoundingConfig,
  FoundingDecision,
  FoundingInput,
  FoundingPhase,
  FoundingStatus,
  HeldRecord,
  RefusalReason,
} from './founding-effect.ts'
import {
  encodeFoundingRecord,
  type FoundingMember,
  memberOf,
  parseFoundingRecord,
  sealFoundingRecord,
  type SignedFoundingRecord,
} from './founding-record.ts'
import { foundingText, refusalText } from './founding-text.ts'
import { clusterHash, creatorHash, incarnationOf } from './key-names.ts'

/** Peers kept in mind. Ours: far above any ensemble; whoever is beyond it asks again. */
export const CANDIDATES_MAX = 256

interface Candidate {
  readonly publicKey: Uint8Array
  readonly creator: string
  holds: HeldRecord | null
}

export class FoundingRules {
  readonly #config: FoundingConfig
  readonly #incarnation: string
  /** CREATOR of a link that this tab made. */
  readonly #ownName: string
  readonly #candidates = new Map<string, Candidate>()
  #decisions: FoundingDecision[] = []
  #phase: FoundingPhase = 'waiting'
  /** Signing: the body. Pinning and founded: the record. */
  #body: Uint8Array | null = null
  #signed: SignedFoundingRecord | null = null
  /** Names of `#signed`. */
  #held: HeldRecord | null = null
  #firstCandidate: string | null = null
  #secondEnsemble = false
  #refusal: string | null = null

  constructor(config: FoundingConfig) {
    this.#config = config
    this.#incarnation = incarnationOf(config.publicKey)
    this.#ownName = creatorHash(config.publicKey)
    if (config.stored !== null) this.#resume(config.stored)
    else this.#createWhenComplete()
  }

  step(input: FoundingInput): void {
    switch (input.kind) {
      case 'candidate':
        return this.#onCandidate(input.publicKey, input.holds)
      case 'candidate-gone':
        this.#candidates.delete(input.incarnation)
        return this.#createWhenComplete()
      case 'first-candidate':
        this.#firstCandidate = input.incarnation
        return this.#createWhenComplete()
      case 'record':
        return this.#onRecord(input.from, input.signed, input.signer)
      case 'signature':
        return this.#onSignature(input.signature)
      case 'pinned':
        return this.#onPinned()
      default:
        return unreachable(input)
    }
  }

  takeDecisions(): FoundingDecision[] {
    const decisions = this.#decisions
    this.#decisions = []
    return decisions
  }

  /** What this tab may say that it holds: nothing before it is durable. */
  holds(): HeldRecord | null {
    return this.#phase === 'founded' ? this.#held : null
  }

  status(): FoundingStatus {
    const { size, linkCluster } = this.#config
    const here = 1 + this.#withoutRecord().length
    const creator = this.#whereIsCreator()
    const recordComing = this.#someoneHolds()
    const voter =
      this.#signed === null ? null : memberOf(this.#signed.record, this.#config.publicKey)
    return {
      phase: this.#phase,
      text:
        this.#refusal ??
        foundingText({
          phase: this.#phase,
          here,
          size,
          creator,
          recordComing,
          exists: linkCluster !== null,
          sid: voter?.sid ?? null,
          secondEnsemble: this.#secondEnsemble,
        }),
      here,
      size,
      creator,
      holds: this.holds(),
      secondEnsemble: this.#secondEnsemble,
    }
  }

  /** The record of an earlier life. A link to another ensemble is refused, not followed. */
  #resume(stored: SignedFoundingRecord): void {
    const reason = this.#mismatch(stored)
    if (reason !== null) {
      this.#phase = 'refused'
      this.#refusal = refusalText('stored', reason)
      this.#decide({ kind: 'refuse', from: null, reason, text: this.#refusal })
      return
    }
    this.#signed = stored
    this.#held = heldBy(stored)
    this.#found()
  }

  #onCandidate(publicKey: Uint8Array, holds: HeldRecord | null): void {
    const incarnation = incarnationOf(publicKey)
    if (incarnation === this.#incarnation) return
    const known = this.#candidates.has(incarnation)
    if (!known && this.#candidates.size >= CANDIDATES_MAX) return
    const candidate = { publicKey, creator: creatorHash(publicKey), holds }
    this.#candidates.set(incarnation, candidate)
    this.#noticeOther(holds)
    if (this.#phase === 'founded') this.#passOn(incarnation, candidate)
    this.#createWhenComplete()
  }

  #onRecord(from: string, signed: SignedFoundingRecord, signer: Uint8Array): void {
    const held = heldBy(signed)
    const candidate = this.#candidates.get(from)
    if (!equal(signed.record.creatorKey, signer)) return this.#refuse(from, 'forged')
    if (candidate !== undefined) candidate.holds = held
    if (this.#phase === 'refused') return
    if (this.#signed !== null) {
      if (equal(this.#signed.body, signed.body)) return
      this.#secondEnsemble = true
      return this.#refuse(from, 'second-ensemble')
    }
    const reason = this.#mismatch(signed)
    if (reason !== null) {
      if (reason !== 'other-room') this.#secondEnsemble = true
      return this.#refuse(from, reason)
    }
    // Also while signing: an unsigned body was seen by nobody, and what exists comes first.
    this.#pin(signed)
  }

  #onSignature(signature: Uint8Array): void {
    // A record that arrived meanwhile took the place of the one being signed.
    if (this.#phase !== 'signing') return
    assert(this.#body !== null, 'signing without a body')
    const signed = parseFoundingRecord(sealFoundingRecord(this.#body, signature))
    assert(signed !== null, 'an own record that does not parse')
    this.#pin(signed)
  }

  #onPinned(): void {
    assert(this.#phase === 'pinning', `pinned while ${this.#phase}`)
    this.#found()
  }

  /** The record is durable: start, and give it to everyone here who lacks it. */
  #found(): void {
    const signed = this.#signed
    assert(signed !== null, 'founded without a record')
    this.#phase = 'founded'
    const member = memberOf(signed.record, this.#config.publicKey)
    this.#decide({ kind: 'start', sid: member?.sid ?? null, signed })
    for (const [incarnation, candidate] of this.#candidates) {
      this.#noticeOther(candidate.holds)
      this.#passOn(incarnation, candidate)
    }
  }

  #passOn(incarnation: string, candidate: Candidate): void {
    const signed = this.#signed
    if (candidate.holds !== null || signed === null) return
    this.#decide({ kind: 'send-record', to: incarnation, envelope: signed.envelope })
    // Once per link: when the link comes back the peer says again what it holds.
    candidate.holds = this.#held
  }

  #pin(signed: SignedFoundingRecord): void {
    this.#signed = signed
    this.#held = heldBy(signed)
    this.#phase = 'pinning'
    this.#decide({ kind: 'pin', signed })
  }

  /** The one place where an ensemble comes into being. */
  #createWhenComplete(): void {
    const { linkCluster, size, publicKey, room, origin, fresh } = this.#config
    if (this.#phase !== 'waiting' || linkCluster !== null || !this.#isCreator()) return
    const others = this.#withoutRecord()
    if (others.length + 1 < size || this.#someoneHolds()) return
    const keys = [publicKey, ...others.slice(0, size - 1).map((other) => other.publicKey)]
    const members: FoundingMember[] = keys.map((key, index) => ({
      sid: toServerId(index + 1),
      incarnation: incarnationOf(key),
      publicKey: key,
    }))
    const facts = { room, size, creatorKey: publicKey, members, origin }
    this.#body = encodeFoundingRecord({ ...fresh, ...facts })
    this.#phase = 'signing'
    this.#decide({ kind: 'sign', body: this.#body })
  }

  #isCreator(): boolean {
    const { linkCreator } = this.#config
    if (linkCreator !== null) return this.#ownName === linkCreator
    return this.#firstCandidate === this.#incarnation
  }

  #whereIsCreator(): FoundingStatus['creator'] {
    if (this.#isCreator()) return 'self'
    const { linkCreator } = this.#config
    if (linkCreator === null) {
      if (this.#firstCandidate === null) return 'unnamed'
      return this.#candidates.has(this.#firstCandidate) ? 'here' : 'away'
    }
    const here = [...this.#candidates.values()].some(({ creator }) => creator === linkCreator)
    return here ? 'here' : 'away'
  }

  /** Candidates for the founding, in the order in which they came. */
  #withoutRecord(): Candidate[] {
    return [...this.#candidates.values()].filter((candidate) => candidate.holds === null)
  }

  /** A peer says that it holds the record this tab waits for: it will send it. */
  #someoneHolds(): boolean {
    if (this.#signed !== null) return false
    for (const { holds } of this.#candidates.values()) {
      if (holds !== null && this.#isLinks(holds)) return true
    }
    return false
  }

  #isLinks(held: HeldRecord): boolean {
    const { linkCreator, linkCluster } = this.#config
    return (
      (linkCreator === null || held.creator === linkCreator) &&
      (linkCluster === null || held.cluster === linkCluster)
    )
  }

  #mismatch(signed: SignedFoundingRecord): RefusalReason | null {
    const { room, origin, publicKey } = this.#config
    if (signed.record.room !== room) return 'other-room'
    const isOwn = equal(signed.record.creatorKey, publicKey)
    if (origin !== ZXID_NONE && !isOwn) return 'not-the-links'
    return this.#isLinks(heldBy(signed)) ? null : 'not-the-links'
  }

  #noticeOther(holds: HeldRecord | null): void {
    if (holds === null || this.#held === null) return
    if (holds.cluster !== this.#held.cluster) this.#secondEnsemble = true
  }

  #refuse(from: string, reason: RefusalReason): void {
    this.#decide({ kind: 'refuse', from, reason, text: refusalText('received', reason) })
  }

  #decide(decision: FoundingDecision): void {
    this.#decisions.push(decision)
  }
}

export function heldBy(signed: SignedFoundingRecord): HeldRecord {
  return { creator: creatorHash(signed.record.creatorKey), cluster: clusterHash(signed.body) }
}
