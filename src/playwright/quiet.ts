/** What an ensemble still lacks, in words; null: nothing. As its pages told it last. */
import type { Member } from './member.ts'

/** Every member that is open serves and hears all voters that are open. */
export function whatIsNotWhole(members: readonly Member[]): string | null {
  const voters = members.filter((member) => member.isVoter).map(({ number }) => number)
  for (const { number, status } of members) {
    const member = status?.member ?? null
    if (member === null || status === null) return `member ${number} has not started`
    if (!member.serving) return `member ${number} does not serve: ${member.whyNotServing ?? ''}`
    for (const sid of voters) {
      const isHeard = member.peers.some((peer) => peer.sid === sid && peer.up)
      if (sid !== number && !isHeard) return `member ${number} does not hear member ${sid}`
    }
    if (voters.length > status.voters.length) return `member ${number} knows too few voters`
  }
  const leading = members.filter((member) => member.isLeading)
  if (leading.length !== 1) return `${leading.length} members lead`
  const synced = leading[0]?.status?.member?.peers.filter((peer) => peer.synced).length ?? 0
  return synced < voters.length - 1 ? 'the leader has followers that are not synchronised' : null
}

/** Whole, and all hold the same, and nothing is under way. */
export function whatIsNotQuiet(members: readonly Member[]): string | null {
  const missing = whatIsNotWhole(members)
  if (missing !== null) return missing
  const states = members.map(({ status }) => {
    const { zxid, loggedZxid, treeDigest, outstanding } = status?.member ?? {}
    return { text: JSON.stringify([zxid, treeDigest]), isBusy: zxid !== loggedZxid, outstanding }
  })
  if (states.some(({ outstanding, isBusy }) => outstanding !== 0 || isBusy)) {
    return 'requests are under way'
  }
  return new Set(states.map(({ text }) => text)).size === 1 ? null : 'the trees differ'
}
