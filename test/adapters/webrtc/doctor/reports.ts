/** Reports of pages as the rules see them, all well unless a test says otherwise. */
import {
  NO_CANDIDATES,
  type CandidateCounts,
  type IceFacts,
} from '../../../../src/adapters/webrtc/doctor/ice-facts.ts'
import type { LinkReport, PageReport } from '../../../../src/adapters/webrtc/doctor/page-report.ts'

export const A: string = 'a'.repeat(32)
export const B: string = 'b'.repeat(32)
export const C: string = 'c'.repeat(32)

export function counts(changes: Partial<CandidateCounts> = {}): CandidateCounts {
  return { ...NO_CANDIDATES, ...changes }
}

export function ice(
  local: Partial<CandidateCounts>,
  remote: Partial<CandidateCounts> = local,
  changes: Partial<IceFacts> = {},
): IceFacts {
  return {
    state: 'failed',
    everConnected: false,
    gathered: true,
    local: counts(local),
    remote: counts(remote),
    errors: [],
    tried: { pairs: 1, requestsSent: 7, responsesReceived: 0 },
    ...changes,
  }
}

export function link(peerId: string, changes: Partial<LinkReport> = {}): LinkReport {
  return {
    peerId,
    state: 'connected',
    attempts: 1,
    stage: 'open',
    ice: null,
    reason: null,
    silentMs: 20,
    roundTripMs: 1,
    localType: 'host',
    remoteType: 'host',
    protocol: 'udp',
    ...changes,
  }
}

/** A link that was tried and failed before a channel opened. */
export function apart(peerId: string, facts: IceFacts | null, reason = 'no luck'): LinkReport {
  return link(peerId, { state: 'waiting', stage: 'ice', ice: facts, reason, silentMs: null })
}

export function page(
  peerId: string,
  links: readonly LinkReport[],
  changes: Partial<PageReport> = {},
): PageReport {
  return {
    peerId,
    name: `page ${peerId[0] ?? ''}`,
    sid: null,
    build: 'test',
    isHidden: false,
    policy: 'all',
    stunServers: 0,
    turnServers: 0,
    gather: { isSupported: true, isComplete: true, counts: counts({ host: 1 }), errors: [] },
    links,
    isCut: false,
    ...changes,
  }
}
