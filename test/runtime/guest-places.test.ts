import { describe, expect, test } from 'vitest'
import { NOT_A_VOTER, placeFor, type Place } from '../../src/runtime/guest-places.ts'
import { PeerTable, type VerifiedMember } from '../../src/runtime/peer-table.ts'

const peer = (incarnation: string, isClient = false): VerifiedMember => ({
  peerId: incarnation,
  incarnation,
  publicKey: new Uint8Array(1),
  ...(isClient ? { isClient } : {}),
})

function table(...members: VerifiedMember[]): PeerTable {
  const peers = new PeerTable()
  for (const member of members) peers.link(member.peerId).member = member
  return peers
}

const at = (ownSid: number | null): Place => ({
  ownSid,
  isVoter: ({ incarnation }) => incarnation.startsWith('voter'),
  limits: { guestsMax: 3, clientsMax: 1 },
})

describe('a place for a peer', () => {
  test('at a voter: for every voter, and for guests up to the bound', () => {
    const full = table(peer('voter2'), peer('a'), peer('b'), peer('c', true)).admitted()
    expect(placeFor(peer('voter3'), true, full, at(1))).toBeNull()
    expect(placeFor(peer('d'), true, full, at(1))).toBe(
      'machine 1 has no place for another connection: 3 tabs are linked already',
    )
    expect(placeFor(peer('d'), true, full.slice(1, 3), at(1))).toBeNull()
  })

  test('a page that comes back takes its own place', () => {
    const full = table(peer('a'), peer('b'), peer('c')).admitted()
    expect(placeFor(peer('b'), true, full, at(1))).toBeNull()
  })

  test('clients do not keep machines out', () => {
    const one = table(peer('c', true)).admitted()
    expect(placeFor(peer('d', true), false, one, at(2))).toMatch(/^machine 2 has no place/)
    expect(placeFor(peer('d'), false, one, at(2))).toBeNull()
  })

  test('at a guest: voters, and whoever may need the founding record of it', () => {
    expect(placeFor(peer('voter1'), true, [], at(null))).toBeNull()
    expect(placeFor(peer('a'), false, [], at(null))).toBeNull()
    expect(placeFor(peer('a'), true, [], at(null))).toBe(NOT_A_VOTER)
    expect(placeFor(peer('a', true), false, [], at(null))).toBe(NOT_A_VOTER)
  })
})
