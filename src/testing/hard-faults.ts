/** Faults that take more than a switch: another leader, a session that is over. */
import type { ZooKeeperClient } from '../client/zookeeper-client.ts'
import type { ClientSeats } from './client-seats.ts'
import type { EnsembleParts, Why } from './ensemble-parts.ts'
import { SessionEnder } from './session-ender.ts'
import type { VirtualMember } from './virtual-member.ts'

/** Elections that a voter may lose before it is given up. Ours: each takes a second. */
const ELECTIONS_MAX = 8
/** Voters of which one can go and the others still elect. */
const VOTERS_MIN = 3

/** Lets time pass until `look` finds nothing missing any more. */
export type Wait = (what: string, look: () => Why | null) => Promise<void>

/**
 * What makes a leader is the newest log (Q20). So the present one is left alone with the member
 * wanted, both log one more entry, and then the present one loses its links: those that remain
 * elect who has that entry.
 */
export async function forceLeader(
  parts: EnsembleParts,
  seats: ClientSeats,
  wanted: VirtualMember,
  wait: Wait,
): Promise<void> {
  for (let elections = 0; ; elections++) {
    await wait('there is a leader', () => noLeader(parts))
    const { leader } = parts
    if (leader === null) continue
    if (leader === wanted) return
    if (parts.voters.length < VOTERS_MIN) {
      throw new Error(`${leader.name} is elected again: two voters need each other`)
    }
    if (!wanted.process.isRunning) throw new Error(`${wanted.name} does not run`)
    if (elections === ELECTIONS_MAX) {
      throw new Error(`${wanted.name} lost ${ELECTIONS_MAX} elections; ${leader.name} leads`)
    }
    await holdElection(parts, seats, leader, wanted, wait)
  }
}

async function holdElection(
  parts: EnsembleParts,
  seats: ClientSeats,
  leader: VirtualMember,
  wanted: VirtualMember,
  wait: Wait,
): Promise<void> {
  const { network } = parts
  await wait(`${wanted.name} follows`, () => unless(wanted.isServing, 'it does not serve'))
  const others = parts.voters.filter((voter) => voter !== leader && voter !== wanted)
  // Unnoticed as yet, so that the leader still takes the entry. Nor may the others elect anybody.
  const apart = others.map((other) => network.bar(leader, other))
  const among = others.flatMap((one, index) => {
    return others.slice(index + 1).map((other) => network.bar(one, other))
  })
  // To open a session is an entry.
  const { seat, client } = seats.probe(leader)
  try {
    const loggedBefore = logged(wanted)
    await wait(`${wanted.name} logs an entry that the others lack`, () => {
      if (leader.role !== 'leading' || !wanted.isServing) return null
      return unless(logged(wanted) > loggedBefore, 'it has not come')
    })
    apart.push(network.bar(leader, wanted))
    for (const bar of [...apart, ...among]) bar.sever()
    for (const bar of among) bar.lift()
    await wait('there is another leader', () => {
      const now = parts.leader
      return now !== null && now !== leader ? null : () => parts.whyNoLeader()
    })
  } finally {
    for (const bar of [...apart, ...among]) bar.lift()
    seat.only = null
    void client.close()
  }
}

/**
 * Takes the session over and closes it, which is how an ensemble ends one without waiting for its
 * time-out. Resolves when the ephemerals are gone.
 */
export async function expireSession(
  parts: EnsembleParts,
  client: ZooKeeperClient,
  wait: Wait,
): Promise<void> {
  const session = { id: client.sessionId, password: client.sessionPassword }
  if (session.id === 0n) throw new Error('this client has no session yet')
  for (let isOver = false; !isOver;) {
    await wait('there is a leader', () => noLeader(parts))
    const { leader } = parts
    if (leader === null) continue
    const ender = new SessionEnder(parts, leader, session)
    await wait('the session is closed', () => unless(ender.outcome !== null, 'it is not'))
    isOver = ender.outcome === 'closed'
  }
}

function noLeader(parts: EnsembleParts): Why | null {
  return parts.leader === null ? () => parts.whyNoLeader() : null
}

export function unless(holds: boolean, what: string): Why | null {
  return holds ? null : () => what
}

function logged(member: VirtualMember): bigint {
  return BigInt(member.status?.loggedZxid ?? 0)
}
