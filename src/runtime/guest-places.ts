/**
 * Whom a founded machine links with. Voters are linked with everybody, up to a bound of guests;
 * guests (observers, clients, whoever holds no listed key) with voters only.
 */
import type { PeerLink, VerifiedMember } from './peer-table.ts'

export interface GuestLimits {
  /** Links to pages that hold no vote, with each voter. */
  readonly guestsMax: number
  /** Of those, pages without storage: they must not keep machines out. */
  readonly clientsMax: number
}

/**
 * Ours: the 16 observers of a full room and twice as many clients; every link costs a voter some
 * 100 KB and two channels, and the broker takes 64 pages in a room.
 */
export const GUEST_LIMITS: GuestLimits = { guestsMax: 48, clientsMax: 32 }

export const NOT_A_VOTER = 'this tab is no voter: it is linked to voters only'

export interface Place {
  /** Of this machine; null: a guest itself. */
  readonly ownSid: number | null
  readonly isVoter: (peer: VerifiedMember) => boolean
  readonly limits: GuestLimits
}

/**
 * null: there is a place for `peer`, else a sentence for it. `holdsRecord`: it needs nothing of a
 * guest, whose part is to pass the founding record on.
 */
export function placeFor(
  peer: VerifiedMember,
  holdsRecord: boolean,
  links: readonly PeerLink[],
  place: Place,
): string | null {
  if (place.isVoter(peer)) return null
  if (place.ownSid === null) return holdsRecord || peer.isClient === true ? NOT_A_VOTER : null
  const guests = new Set<string>()
  const clients = new Set<string>()
  for (const { member } of links) {
    if (member === null || place.isVoter(member)) continue
    // A page that comes back takes its own place.
    if (member.incarnation === peer.incarnation) continue
    guests.add(member.incarnation)
    if (member.isClient === true) clients.add(member.incarnation)
  }
  const { guestsMax, clientsMax } = place.limits
  const isFull = guests.size >= guestsMax || (peer.isClient === true && clients.size >= clientsMax)
  if (!isFull) return null
  const count = `${guests.size} ${guests.size === 1 ? 'tab is' : 'tabs are'} linked already`
  return `machine ${place.ownSid} has no place for another connection: ${count}`
}
