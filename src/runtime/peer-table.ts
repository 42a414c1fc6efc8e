/**
 * Who is linked to this worker: the channels of each link and, once the page verified its
 * handshake, whose they are.
 *
 * Invariant: a channel acts only after `admit`. Until then its link keeps what arrives, bounded.
 */
import type { ClientMultiplexer } from '../ports/client-channel.ts'
import type { Link } from '../ports/link.ts'

export interface VerifiedMember {
  readonly peerId: string
  readonly incarnation: string
  readonly publicKey: Uint8Array
  /** A page without storage: never a member of anything. */
  readonly isClient?: boolean
  /** A process, not a page; for people. */
  readonly isNode?: boolean
}

export interface PeerLink {
  readonly linkId: string
  quorum: Link | null
  clients: ClientMultiplexer | null
  closeClients: (reason: string) => void
  member: VerifiedMember | null
  /** The quorum channel was handed to the running member. */
  isAttached: boolean
  /** Both sides let each other in, so page messages can go; until then they wait here. */
  isOpen: boolean
  readonly unsaid: Uint8Array[]
  /** Ends what was started for this link: liveness watch. */
  readonly ended: AbortController
}

export class PeerTable {
  readonly #links = new Map<string, PeerLink>()

  /** The link of this id, made when it is new: its channels come one by one. */
  link(linkId: string): PeerLink {
    const known = this.#links.get(linkId)
    if (known !== undefined) return known
    const made: PeerLink = {
      linkId,
      quorum: null,
      clients: null,
      closeClients: () => {},
      member: null,
      isAttached: false,
      isOpen: false,
      unsaid: [],
      ended: new AbortController(),
    }
    this.#links.set(linkId, made)
    return made
  }

  get(linkId: string): PeerLink | undefined {
    return this.#links.get(linkId)
  }

  /** The newest admitted link of a member: after its reload the old link may still be dying. */
  ofMember(incarnation: string): PeerLink | undefined {
    return [...this.#links.values()].findLast((link) => link.member?.incarnation === incarnation)
  }

  ofPeerId(peerId: string): PeerLink | undefined {
    return [...this.#links.values()].findLast((link) => link.member?.peerId === peerId)
  }

  admitted(): PeerLink[] {
    return [...this.#links.values()].filter((link) => link.member !== null)
  }

  remove(linkId: string, reason: string): PeerLink | undefined {
    const link = this.#links.get(linkId)
    if (link === undefined) return undefined
    this.#links.delete(linkId)
    link.ended.abort()
    link.quorum?.close(reason)
    link.closeClients(reason)
    return link
  }

  removeAll(reason: string): void {
    for (const linkId of [...this.#links.keys()]) this.remove(linkId, reason)
  }
}
