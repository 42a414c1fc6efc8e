/**
 * Who the voters of the room are, for a page that is none: from the one founding record that fits
 * its link and is signed by the creator whom it names. Kept in memory only.
 */
import { verify } from '../adapters/indexeddb/identity.ts'
import {
  foundingBytesToSign,
  parseFoundingRecord,
  type SignedFoundingRecord,
} from '../core/founding/founding-record.ts'
import { clusterHash, creatorHash } from '../core/founding/key-names.ts'
import type { RoomLink } from '../signaling/room-link.ts'

export class KnownVoters {
  readonly #link: RoomLink
  #signed: SignedFoundingRecord | null = null

  constructor(link: RoomLink) {
    this.#link = link
  }

  get isKnown(): boolean {
    return this.#signed !== null
  }

  get size(): number {
    return this.#signed?.record.size ?? this.#link.size
  }

  /** Server ids in order; empty while nobody showed the record. */
  get sids(): readonly number[] {
    return this.#signed?.record.members.map((member) => member.sid) ?? []
  }

  get creator(): string | null {
    return this.#signed === null ? this.#link.creator : creatorHash(this.#signed.record.creatorKey)
  }

  get cluster(): string | null {
    return this.#signed === null ? this.#link.cluster : clusterHash(this.#signed.body)
  }

  /** null: no voter, or not known yet. */
  sidOf(incarnation: string): number | null {
    const members = this.#signed?.record.members ?? []
    return members.find((member) => member.incarnation === incarnation)?.sid ?? null
  }

  /** Bytes of a stranger. true when they were taken as the record of this room, the first ones. */
  async learn(envelope: Uint8Array): Promise<boolean> {
    const signed = parseFoundingRecord(envelope)
    if (signed === null || this.#signed !== null || !this.#isLinks(signed)) return false
    const bytes = foundingBytesToSign(signed.body)
    if (!(await verify(signed.record.creatorKey, bytes, signed.signature))) return false
    // Several may be verified at once; the first one stays.
    this.#signed ??= signed
    return this.#signed === signed
  }

  #isLinks({ record, body }: SignedFoundingRecord): boolean {
    const { room, creator, cluster } = this.#link
    return (
      record.room === room &&
      (creator === null || creatorHash(record.creatorKey) === creator) &&
      (cluster === null || clusterHash(body) === cluster)
    )
  }
}
