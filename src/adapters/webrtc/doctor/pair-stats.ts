/** What the browser's statistics say of the candidate pair that carries a connection. */

import type { PairsTried } from './ice-facts.ts'

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay'

export interface PairStats {
  readonly localType: CandidateType | null
  readonly remoteType: CandidateType | null
  readonly protocol: 'udp' | 'tcp' | null
  /** How this page reaches its TURN server; null without one. */
  readonly relayProtocol: 'udp' | 'tcp' | 'tls' | null
  readonly roundTripMs: number | null
  /** Chromium only. */
  readonly lastReceivedMsAgo: number | null
  readonly bytesSent: number
  readonly bytesReceived: number
  /** null where the browser hides it. */
  readonly localAddress: string | null
  readonly remoteAddress: string | null
}

/** What of a statistics entry is read. Browsers leave out what they do not know. */
interface Entry {
  readonly id: string
  readonly type: string
  readonly timestamp: number
  readonly selectedCandidatePairId?: string
  /** Firefox marks the pair instead of naming it in the transport. */
  readonly selected?: boolean
  readonly nominated?: boolean
  readonly state?: string
  readonly localCandidateId?: string
  readonly remoteCandidateId?: string
  readonly currentRoundTripTime?: number
  readonly lastPacketReceivedTimestamp?: number
  readonly bytesSent?: number
  readonly bytesReceived?: number
  readonly requestsSent?: number
  readonly responsesReceived?: number
  readonly candidateType?: string
  readonly protocol?: string
  readonly relayProtocol?: string
  readonly address?: string | null
}

export interface StatsReport {
  forEach(visit: (entry: unknown) => void): void
}

export function pairStats(report: StatsReport): PairStats | null {
  const entries = entriesOf(report)
  const pair = selectedPair(entries)
  if (pair === null) return null
  const local = entries.get(pair.localCandidateId ?? '')
  const remote = entries.get(pair.remoteCandidateId ?? '')
  const { currentRoundTripTime, lastPacketReceivedTimestamp, timestamp } = pair
  return {
    localType: oneOf(local?.candidateType, ['host', 'srflx', 'prflx', 'relay']),
    remoteType: oneOf(remote?.candidateType, ['host', 'srflx', 'prflx', 'relay']),
    protocol: oneOf(local?.protocol?.toLowerCase(), ['udp', 'tcp']),
    relayProtocol: oneOf(local?.relayProtocol?.toLowerCase(), ['udp', 'tcp', 'tls']),
    roundTripMs: currentRoundTripTime === undefined ? null : currentRoundTripTime * 1000,
    lastReceivedMsAgo:
      lastPacketReceivedTimestamp === undefined
        ? null
        : Math.max(0, timestamp - lastPacketReceivedTimestamp),
    bytesSent: pair.bytesSent ?? 0,
    bytesReceived: pair.bytesReceived ?? 0,
    localAddress: local?.address ?? null,
    remoteAddress: remote?.address ?? null,
  }
}

export function pairsTried(report: StatsReport): PairsTried {
  const tried = { pairs: 0, requestsSent: 0, responsesReceived: 0 }
  for (const entry of entriesOf(report).values()) {
    if (entry.type !== 'candidate-pair') continue
    tried.pairs++
    tried.requestsSent += entry.requestsSent ?? 0
    tried.responsesReceived += entry.responsesReceived ?? 0
  }
  return tried
}

function entriesOf(report: StatsReport): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  report.forEach((entry) => {
    const read = entry as Entry
    entries.set(read.id, read)
  })
  return entries
}

function selectedPair(entries: ReadonlyMap<string, Entry>): Entry | null {
  const all = [...entries.values()]
  const named = all.find((entry) => entry.selectedCandidatePairId !== undefined)
  const byName = entries.get(named?.selectedCandidatePairId ?? '')
  if (byName !== undefined) return byName
  const pairs = all.filter((entry) => entry.type === 'candidate-pair')
  return (
    pairs.find((pair) => pair.selected === true) ??
    pairs.find((pair) => pair.nominated === true && pair.state === 'succeeded') ??
    null
  )
}

function oneOf<T extends string>(value: string | undefined, known: readonly T[]): T | null {
  return known.find((one) => one === value) ?? null
}
