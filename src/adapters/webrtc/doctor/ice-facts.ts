/**
 * What one attempt at a connection showed, as plain data: the doctor's evidence. Candidates are
 * counted by kind; their addresses are nobody's business.
 */

/** Kinds of RFC 8445, with hidden host names (mDNS) and TCP counted apart. */
export interface CandidateCounts {
  readonly host: number
  /** Host candidates whose address is a name that only the same network can resolve. */
  readonly mdns: number
  readonly srflx: number
  readonly prflx: number
  readonly relay: number
}

export const NO_CANDIDATES: CandidateCounts = { host: 0, mdns: 0, srflx: 0, prflx: 0, relay: 0 }

export interface IceError {
  /** The server's address as configured; no credentials stand in it. */
  readonly url: string
  /** STUN's code (401 unauthorized, 403, 486 quota, …); 701: no answer. */
  readonly code: number
  readonly text: string
}

/** Candidate pairs that were tried, as sampled while ICE was at work. */
export interface PairsTried {
  readonly pairs: number
  readonly requestsSent: number
  readonly responsesReceived: number
}

export const ICE_STATES = [
  'new',
  'checking',
  'connected',
  'completed',
  'disconnected',
  'failed',
  'closed',
] as const
export type IceState = (typeof ICE_STATES)[number]

export interface IceFacts {
  readonly state: IceState
  readonly everConnected: boolean
  /** The browser has found all candidates it can find. */
  readonly gathered: boolean
  readonly local: CandidateCounts
  /** What the other side sent. */
  readonly remote: CandidateCounts
  /** At most ICE_ERRORS_MAX, one per server and code. */
  readonly errors: readonly IceError[]
  readonly tried: PairsTried | null
}

/** Errors kept of one attempt. A browser repeats them for each network interface. */
export const ICE_ERRORS_MAX = 8
export const ICE_ERROR_TEXT_MAX = 120
export const ICE_ERROR_URL_MAX = 300

type CandidateKind = keyof CandidateCounts

/** null for a line that is no candidate, such as the empty one at the end. */
export function kindOfCandidate(line: string): CandidateKind | null {
  const fields = line.trim().split(/\s+/)
  const at = fields.indexOf('typ')
  const type = at < 0 ? undefined : fields[at + 1]
  if (type === 'host') return /\.local$/i.test(fields[4] ?? '') ? 'mdns' : 'host'
  return type === 'srflx' || type === 'prflx' || type === 'relay' ? type : null
}

export function withCandidate(counts: CandidateCounts, line: string): CandidateCounts {
  const kind = kindOfCandidate(line)
  return kind === null ? counts : { ...counts, [kind]: counts[kind] + 1 }
}

export function countOf(counts: CandidateCounts): number {
  return counts.host + counts.mdns + counts.srflx + counts.prflx + counts.relay
}

/** 401 and its like: the server is there and does not want us. */
export function isRefusedByServer(error: IceError): boolean {
  return error.code >= 400 && error.code < 700
}
