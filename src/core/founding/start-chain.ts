/**
 * Was a member's profile rolled back? Every start appends a token `LIFE.RANDOM` to a bounded chain
 * in the member's storage, and peers remember the newest token they saw. A storage that was put
 * back to an older state lost the tokens given out since, and with them entries it had
 * acknowledged.
 *
 * What this cannot see is a copy made while a life went on and put back before any later start was
 * seen, as a virtual machine's snapshot may be. (A profile copied at rest is older than the next
 * start.) Tokens more often, or the newest zxid that peers know this member acknowledged, would not
 * close that. The danger is a quorum of this member and of others that all lack an entry which it
 * acknowledged; a member that has the entry wins the election and brings it back. Those that lack
 * it were away from the leader, so they can only know of the acknowledgement from this member
 * itself. To be sure, a quorum of them would have to write down each acknowledgement before it
 * counts: a second round of strict writes for every entry.
 */

export type StartVerdict =
  /** Never met: nothing to compare. */
  | 'first-meeting'
  | 'known'
  /** The token seen is missing: refuse the member (design §4). */
  | 'rolled-back'
  /** More starts since than the chain holds: nothing is proved, so refused as well. */
  | 'beyond-chain'
  /** No chain at all. */
  | 'malformed'

const TOKEN = /^([1-9]\d{0,14})\.([0-9A-Za-z]+)$/

/** `lastSeenToken` is null for a peer never met. */
export function startChainCheck(
  lastSeenToken: string | null,
  chain: readonly string[],
): StartVerdict {
  const lives = chain.map(lifeOf)
  const [first, seen] = [lives[0], lastSeenToken === null ? null : lifeOf(lastSeenToken)]
  // Lives are consecutive: a chain cannot hide that something was cut out of its middle.
  if (first === undefined || lives.some((life, i) => life !== first + i)) return 'malformed'
  if (lastSeenToken === null) return 'first-meeting'
  if (chain.includes(lastSeenToken)) return 'known'
  return seen !== null && seen < first ? 'beyond-chain' : 'rolled-back'
}

export function isRefused(verdict: StartVerdict): boolean {
  return verdict !== 'known' && verdict !== 'first-meeting'
}

/** What to remember of a peer that was not refused. */
export function newestToken(chain: readonly string[]): string | null {
  return chain.at(-1) ?? null
}

/** NaN for what is no token: equal to nothing. */
function lifeOf(token: string): number {
  return Number(TOKEN.exec(token)?.[1] ?? Number.NaN)
}
