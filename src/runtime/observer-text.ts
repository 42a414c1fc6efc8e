/** What an observer's page says of itself and of the ensemble that it watches, for people. */
import type { MemberStatus } from '../core/server/member-machine.ts'

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

/** `observing: the three voters of this room are machines 1, 2, 3` */
export function observerText(
  voters: readonly number[],
  member: Pick<MemberStatus, 'peers' | 'quorum'>,
): string {
  const away = member.peers.filter((peer) => voters.includes(peer.sid) && !peer.up)
  if (away.length === 0) {
    const count = NUMBERS[voters.length] ?? String(voters.length)
    const are = voters.length === 1 ? 'voter of this room is' : 'voters of this room are'
    return `observing: the ${count} ${are} ${machines(voters)}`
  }
  const gone = away.map(({ sid, silentMs }) => {
    return `machine ${sid}'s storage is gone or away for ${duration(silentMs)}`
  })
  return `${gone.join('; ')}; this tab observes; ${commitText(voters.length, away.length)}`
}

/** How many more losses the ensemble stands, with `away` of `size` voters missing. */
export function commitText(size: number, away: number): string {
  const needed = Math.floor(size / 2) + 1
  const spare = size - away - needed
  if (spare < 0) return `the ensemble cannot commit: it needs ${needed} of ${size}`
  const commits = `the ensemble commits with ${size - away} of ${size}`
  if (spare === 0) return `${commits}, one more loss stops it`
  return `${commits}, it stands ${spare} more ${spare === 1 ? 'loss' : 'losses'}`
}

function machines(sids: readonly number[]): string {
  return `${sids.length === 1 ? 'machine' : 'machines'} ${sids.join(', ')}`
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}
