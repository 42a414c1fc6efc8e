/**
 * From what the pages of a room report to findings. Pure: every rule is a line of a table in the
 * tests. One finding per pair, the nearest cause first; what is wrong with a single page is said
 * once, for the page.
 */

import { countOf, isRefusedByServer, type CandidateCounts } from './ice-facts.ts'
import { finding, type Finding } from './finding.ts'
import type { LinkReport, PageReport } from './page-report.ts'
import { gaveNothing } from './self-check.ts'

/**
 * Pages ping each other about every 250 ms and count as away after 1.2 s. Twice that: a report is a
 * moment old when it is read.
 */
export const LINK_SILENT_MS = 2_500

export interface RoomReports {
  /** The page that asks; its report is among them. */
  readonly self: string
  /** Everybody who was asked. */
  readonly asked: readonly { readonly peerId: string; readonly name: string }[]
  readonly reports: readonly PageReport[]
  readonly isBrokerJoined: boolean
}

export function diagnose(room: RoomReports): Finding[] {
  const reports = new Map(room.reports.map((report) => [report.peerId, report]))
  const names = new Map(room.asked.map(({ peerId, name }) => [peerId, name]))
  for (const report of room.reports) names.set(report.peerId, report.name)
  const pages = [...names.keys()]
  const found: Finding[] = []
  if (!room.isBrokerJoined) found.push(finding('broker-away', []))
  for (const page of pages) {
    const name = names.get(page) ?? page
    const report = reports.get(page)
    found.push(...(report === undefined ? [finding('page-silent', [name])] : ofPage(report, name)))
  }
  for (const [index, page] of pages.entries()) {
    for (const other of pages.slice(index + 1)) {
      const sides = [sideOf(reports, page, other), sideOf(reports, other, page)]
      const both = [names.get(page) ?? page, names.get(other) ?? other]
      found.push(...ofPair(sides, both))
    }
  }
  if (pages.length === 1) found.push(finding('alone', []))
  else if (found.every((one) => one.severity === 'ok')) found.push(finding('all-connected', []))
  return found
}

/** What one page says of a pair, with its own candidates as a page. */
interface Side {
  readonly page: PageReport
  readonly link: LinkReport
}

function sideOf(
  reports: ReadonlyMap<string, PageReport>,
  page: string,
  other: string,
): Side | null {
  const report = reports.get(page)
  const link = report?.links.find((one) => one.peerId === other)
  return report === undefined || link === undefined ? null : { page: report, link }
}

function ofPage(page: PageReport, name: string): Finding[] {
  const { gather, turnServers, stunServers } = page
  if (!gather.isSupported) return [finding('webrtc-missing', [name])]
  const found: Finding[] = []
  if (turnServers > 0 && gather.counts.relay === 0) {
    const refusal = gather.errors.find(
      (error) => /^turn/i.test(error.url) && isRefusedByServer(error),
    )
    if (refusal === undefined) found.push(finding('turn-unreachable', [name]))
    else found.push(finding('turn-refused', [name], `${refusal.code} ${refusal.text}`.trim()))
  }
  // With only relays allowed, no candidate is the TURN server's doing, told above.
  if (page.policy === 'all' && gaveNothing(gather)) found.push(finding('no-candidates', [name]))
  if (stunServers > 0 && page.policy === 'all' && !gaveNothing(gather)) {
    // An answer that names an address known already is no candidate: silence is what counts.
    const isSilent =
      gather.errors.some((error) => /^stun/i.test(error.url)) ||
      (!gather.isComplete && turnServers === 0)
    if (isSilent && gather.counts.srflx === 0) found.push(finding('stun-silent', [name]))
  }
  return found
}

function ofPair(given: readonly (Side | null)[], names: readonly string[]): Finding[] {
  const sides = given.filter((side) => side !== null)
  const [first] = sides
  if (first === undefined) return [finding('pair-unknown', names)]
  if (sides.some((side) => side.link.state === 'connected')) return ofConnected(sides, names)
  // Each waits to be asked by a voter. One alone may wait for a voter that is not heard.
  if (sides.length === 2 && sides.every(({ link }) => NOT_ASKED.test(link.reason ?? ''))) {
    return [finding('not-needed', names)]
  }
  const refusal = sides.map((side) => ofRefusal(side.link, names)).find((one) => one !== null)
  if (refusal !== undefined && refusal !== null) return [refusal]
  return ofFailed(sides, names)
}

function ofConnected(sides: readonly Side[], names: readonly string[]): Finding[] {
  const silentMs = Math.max(...sides.map((side) => side.link.silentMs ?? 0))
  if (silentMs < LINK_SILENT_MS) return []
  return [finding('link-silent', names, `${Math.round(silentMs / 1000)} s`)]
}

const NOT_ASKED = /has not said that it votes/

/** How the mesh and the handshake word an end that somebody wanted. */
const REFUSALS: readonly (readonly [RegExp, Parameters<typeof finding>[0]])[] = [
  [/neither page is a voter/, 'not-needed'],
  [/no place for another connection/, 'no-place'],
  [/(^|: )two pages with one identity|^same-identity:/, 'same-identity'],
  [/link protocol \d|^version:/, 'builds-differ'],
  [/signature|fingerprint|incarnation is not|P-256|another room|^key:/, 'handshake-failed'],
  [/^malformed:|out of order in the handshake|hello that cannot be read|flood/, 'handshake-failed'],
  [/^(not-admitted|refused-by-peer):/, 'not-admitted'],
]

function ofRefusal(link: LinkReport, names: readonly string[]): Finding | null {
  const reason = link.reason ?? ''
  const known = REFUSALS.find(([pattern]) => pattern.test(reason))
  return known === undefined ? null : finding(known[1], names, reason.replace(/^[a-z-]+: /, ''))
}

/** No connection, and nobody refused one: how far did it come, and what was there to try? */
function ofFailed(sides: readonly Side[], names: readonly string[]): Finding[] {
  const withoutWays = sides.find((side) => isWithoutWays(side.page))
  if (withoutWays !== undefined) return [finding('blocked', names, withoutWays.page.name)]
  if (sides.some((side) => side.link.stage === 'handshake')) {
    return [finding('handshake-silent', names)]
  }
  const ice = sides.map((side) => side.link.ice).filter((one) => one !== null)
  if (ice.length === 0) return [finding(sides.length === 1 ? 'no-answer' : 'still-trying', names)]
  const local = ice.map((one) => one.local)
  const remote = ice.map((one) => one.remote)
  if (remote.every((counts) => countOf(counts) === 0)) return [finding('no-answer', names)]
  const all = [...local, ...remote]
  const has = (kind: keyof CandidateCounts): boolean => all.some((counts) => counts[kind] > 0)
  if (has('relay')) return [finding('relay-failed', names)]
  const lame = sides.find((side) => side.page.turnServers > 0)
  if (lame !== undefined) return [finding('blocked', names, lame.page.name)]
  if (has('srflx')) return [finding('needs-turn', names)]
  const wasChecked = ice.some((one) => (one.tried?.requestsSent ?? 0) > 0)
  if (!wasChecked && all.every((counts) => counts.host === 0)) {
    return [finding('mdns-unresolved', names)]
  }
  return [finding('local-only', names)]
}

function isWithoutWays(page: PageReport): boolean {
  return !page.gather.isSupported || gaveNothing(page.gather)
}
