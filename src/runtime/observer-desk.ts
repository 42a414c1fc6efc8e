/**
 * A voter's side of observers: who asked for a place, who holds one and whose link may be used.
 *
 * Only the serving leader gives places, through the log, and only it answers: a grant belongs to
 * one life of a page, and the leader knows which of them it made for this asking. What it tells is
 * a place whose session ids nobody can have used: newer than what was there when it was asked, or
 * one that it told before and that nobody came with.
 *
 * A link is an observer's when its own verified incarnation stands in the applied table under the
 * server id that it claims.
 */
import { type ServerId, toServerId } from '../core/base/zxid.ts'
import type { TracedObserver } from '../core/zab/effect.ts'
import type { ObserverGrant, PageMessage } from './page-message.ts'
import type { PeerLink } from './peer-table.ts'

export interface DeskHost {
  readonly say: (link: PeerLink, message: PageMessage) => void
  /** To the own member; it acts only while it leads. */
  readonly admit: (incarnation: string) => void
  /** The link's quorum channel goes to the own member. */
  readonly attach: (link: PeerLink, sid: ServerId) => void
  /** Its place belongs to another one: the channel must not be used any more. */
  readonly cut: (link: PeerLink, reason: string) => void
}

interface Entry {
  readonly sid: ServerId
  readonly incarnation: string
  readonly sessionBase: bigint
}

interface Visitor {
  readonly link: PeerLink
  readonly incarnation: string
  /** Asked, and not answered yet. */
  isAsking: boolean
  /** What stood in the table when the leader was told; null: not told yet. */
  floor: bigint | null
  /** It says that it runs under this. */
  claim: ObserverGrant | null
}

export class ObserverDesk {
  readonly #host: DeskHost
  #table: readonly Entry[] = []
  #isLeading = false
  /** By link id. Bounded by the links that voters keep with guests. */
  readonly #visitors = new Map<string, Visitor>()
  /** Places told by this leader that nobody came with, by incarnation. */
  readonly #unused = new Map<string, bigint>()

  constructor(host: DeskHost) {
    this.#host = host
  }

  incarnationOf(sid: number): string | null {
    return this.#table.find((entry) => entry.sid === sid)?.incarnation ?? null
  }

  sidOf(incarnation: string): ServerId | null {
    return this.#entry(incarnation)?.sid ?? null
  }

  onAsk(link: PeerLink): void {
    const visitor = this.#visitor(link)
    if (visitor === null) return
    visitor.isAsking = true
    visitor.claim = null
    if (this.#isLeading) this.#tellLeader(visitor)
  }

  onObserving(link: PeerLink, claim: ObserverGrant): void {
    const visitor = this.#visitor(link)
    if (visitor === null) return
    visitor.isAsking = false
    visitor.claim = claim
    this.#unused.delete(visitor.incarnation)
    this.#judge(visitor)
  }

  forget(linkId: string): void {
    this.#visitors.delete(linkId)
  }

  /** This member leads and serves: who asked a leader that is gone asks again by this. */
  onLeading(): void {
    this.#isLeading = true
    for (const visitor of this.#visitors.values()) {
      if (visitor.isAsking) this.#tellLeader(visitor)
    }
  }

  onRoleChange(): void {
    this.#isLeading = false
    this.#unused.clear()
    for (const visitor of this.#visitors.values()) visitor.floor = null
  }

  onTable(observers: readonly TracedObserver[]): void {
    this.#table = observers.map(({ sid, incarnation, sessionBase }) => {
      return { sid: toServerId(sid), incarnation, sessionBase: BigInt(sessionBase) }
    })
    for (const incarnation of this.#unused.keys()) {
      if (this.#entry(incarnation) === undefined) this.#unused.delete(incarnation)
    }
    for (const visitor of this.#visitors.values()) {
      if (visitor.isAsking) this.#answer(visitor)
      if (visitor.claim !== null) this.#judge(visitor)
    }
  }

  onRefused(incarnation: string, reason: string): void {
    for (const visitor of this.#visitors.values()) {
      if (visitor.incarnation !== incarnation || !visitor.isAsking) continue
      visitor.isAsking = false
      this.#host.say(visitor.link, { kind: 'no-place', reason })
    }
  }

  #visitor(link: PeerLink): Visitor | null {
    const { linkId, member, quorum } = link
    if (member === null || quorum === null || member.isClient === true) return null
    const known = this.#visitors.get(linkId)
    if (known !== undefined) return known
    const { incarnation } = member
    const made = { link, incarnation, isAsking: false, floor: null, claim: null }
    this.#visitors.set(linkId, made)
    return made
  }

  #tellLeader(visitor: Visitor): void {
    const { incarnation } = visitor
    const floor = this.#entry(incarnation)?.sessionBase ?? 0n
    visitor.floor = floor
    if (this.#unused.get(incarnation) === floor) {
      visitor.floor = floor - 1n
      this.#answer(visitor)
      return
    }
    this.#host.admit(incarnation)
  }

  #answer(visitor: Visitor): void {
    const { incarnation, floor } = visitor
    const entry = this.#entry(incarnation)
    if (floor === null || entry === undefined || entry.sessionBase <= floor) return
    visitor.isAsking = false
    visitor.floor = null
    this.#unused.set(incarnation, entry.sessionBase)
    const grant = { sid: entry.sid, sessionBase: entry.sessionBase }
    this.#host.say(visitor.link, { kind: 'grant', grant })
  }

  #judge({ link, incarnation, claim }: Visitor): void {
    const entry = this.#table.find(({ sid }) => sid === claim?.sid)
    // A table that is behind says nothing: the grant is on its way through the log.
    if (claim === null || entry === undefined || entry.sessionBase < claim.sessionBase) return
    if (entry.incarnation === incarnation) {
      this.#host.attach(link, claim.sid)
      return
    }
    this.#host.say(link, { kind: 'place-lost', grant: claim })
    this.#host.cut(link, `its place as observer ${claim.sid} was given to another tab`)
  }

  #entry(incarnation: string): Entry | undefined {
    return this.#table.find((entry) => entry.incarnation === incarnation)
  }
}
