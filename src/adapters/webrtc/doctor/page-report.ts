/**
 * What one page tells of itself and its links: its side of every pair. Kinds and counts only; no
 * address of anybody leaves a page in it. `parsePageReport` takes it from any page of the room.
 */

import type { IcePolicy } from '../ice-settings.ts'
import {
  ICE_ERROR_TEXT_MAX,
  ICE_ERROR_URL_MAX,
  ICE_ERRORS_MAX,
  ICE_STATES,
  type CandidateCounts,
  type IceError,
  type IceFacts,
  type PairsTried,
} from './ice-facts.ts'
import { LINK_STAGES, type LinkStage } from './link-facts.ts'
import type { CandidateType } from './pair-stats.ts'

/** What this page found when it asked its browser for candidates, with nobody at the other end. */
export interface GatherReport {
  /** The browser has RTCPeerConnection and gave one. */
  readonly isSupported: boolean
  /** The browser said that there are no more; else the time was up. */
  readonly isComplete: boolean
  readonly counts: CandidateCounts
  readonly errors: readonly IceError[]
}

export interface LinkReport {
  readonly peerId: string
  readonly state: 'absent' | 'waiting' | 'connecting' | 'connected'
  readonly attempts: number
  /** Of the present attempt, or of the last one. */
  readonly stage: LinkStage
  readonly ice: IceFacts | null
  /** Why there is no connection, for people. */
  readonly reason: string | null
  /** Since anything came over the link; null when nobody measures. */
  readonly silentMs: number | null
  readonly roundTripMs: number | null
  readonly localType: CandidateType | null
  readonly remoteType: CandidateType | null
  readonly protocol: 'udp' | 'tcp' | null
}

export interface PageReport {
  readonly peerId: string
  /** What people call it: `machine 2`. */
  readonly name: string
  readonly sid: number | null
  readonly build: string
  /** In the background. */
  readonly isHidden: boolean
  readonly policy: IcePolicy
  readonly stunServers: number
  readonly turnServers: number
  readonly gather: GatherReport
  readonly links: readonly LinkReport[]
  /** There are more links than fit into a message. */
  readonly isCut: boolean
}

/** Links told of one page. Ours: more pages than that are no room that people look at. */
export const LINK_REPORTS_MAX = 64
const NAME_MAX = 60
const REASON_MAX = 240
const PEER_ID = /^[0-9a-f]{32}$/

/** null when anything is not as it should be. */
export function parsePageReport(value: unknown): PageReport | null {
  if (!isFields(value) || !matches(value['peerId'], PEER_ID)) return null
  const { name, sid, build, isHidden, policy, stunServers, turnServers } = value
  const gather = parseGather(value['gather'])
  const links = listOf(value['links'], LINK_REPORTS_MAX, parseLink)
  if (gather === null || links === null) return null
  if (!isText(name) || !isText(build) || (sid !== null && !isNumber(sid))) return null
  if (policy !== 'all' && policy !== 'relay') return null
  if (!isNumber(stunServers) || !isNumber(turnServers)) return null
  return {
    peerId: value['peerId'],
    name: name.slice(0, NAME_MAX),
    sid,
    build: build.slice(0, NAME_MAX),
    isHidden: isHidden === true,
    policy,
    stunServers,
    turnServers,
    gather,
    links,
    isCut: value['isCut'] === true,
  }
}

function parseGather(value: unknown): GatherReport | null {
  if (!isFields(value)) return null
  const counts = parseCounts(value['counts'])
  const errors = listOf(value['errors'], ICE_ERRORS_MAX, parseError)
  if (counts === null || errors === null) return null
  const { isSupported, isComplete } = value
  return { isSupported: isSupported === true, isComplete: isComplete === true, counts, errors }
}

function parseLink(value: unknown): LinkReport | null {
  if (!isFields(value) || !matches(value['peerId'], PEER_ID)) return null
  const { attempts, reason, silentMs, roundTripMs } = value
  const state = oneOf(value['state'], ['absent', 'waiting', 'connecting', 'connected'])
  const stage = oneOf(value['stage'], LINK_STAGES)
  const ice = value['ice'] === null ? null : parseIce(value['ice'])
  if (state === null || stage === null || (ice === null && value['ice'] !== null)) return null
  if (!isNumber(attempts) || !isNumberOrNull(silentMs) || !isNumberOrNull(roundTripMs)) return null
  return {
    peerId: value['peerId'],
    state,
    attempts,
    stage,
    ice,
    reason: isText(reason) ? reason.slice(0, REASON_MAX) : null,
    silentMs,
    roundTripMs,
    localType: oneOf(value['localType'], ['host', 'srflx', 'prflx', 'relay']),
    remoteType: oneOf(value['remoteType'], ['host', 'srflx', 'prflx', 'relay']),
    protocol: oneOf(value['protocol'], ['udp', 'tcp']),
  }
}

function parseIce(value: unknown): IceFacts | null {
  if (!isFields(value)) return null
  const state = oneOf(value['state'], ICE_STATES)
  const local = parseCounts(value['local'])
  const remote = parseCounts(value['remote'])
  const errors = listOf(value['errors'], ICE_ERRORS_MAX, parseError)
  const tried = value['tried'] === null ? null : parseTried(value['tried'])
  if (state === null || local === null || remote === null || errors === null) return null
  if (tried === null && value['tried'] !== null) return null
  const { everConnected, gathered } = value
  return {
    ...{ state, local, remote, errors, tried },
    everConnected: everConnected === true,
    gathered: gathered === true,
  }
}

function parseTried(value: unknown): PairsTried | null {
  if (!isFields(value)) return null
  const { pairs, requestsSent, responsesReceived } = value
  return isNumber(pairs) && isNumber(requestsSent) && isNumber(responsesReceived)
    ? { pairs, requestsSent, responsesReceived }
    : null
}

function parseCounts(value: unknown): CandidateCounts | null {
  if (!isFields(value)) return null
  const { host, mdns, srflx, prflx, relay } = value
  return isNumber(host) && isNumber(mdns) && isNumber(srflx) && isNumber(prflx) && isNumber(relay)
    ? { host, mdns, srflx, prflx, relay }
    : null
}

function parseError(value: unknown): IceError | null {
  if (!isFields(value)) return null
  const { url, code, text } = value
  if (!isText(url) || !isNumber(code) || !isText(text)) return null
  return {
    url: url.slice(0, ICE_ERROR_URL_MAX),
    code,
    text: text.slice(0, ICE_ERROR_TEXT_MAX),
  }
}

interface Fields {
  readonly [name: string]: unknown
  readonly name?: unknown
  readonly sid?: unknown
  readonly build?: unknown
  readonly isHidden?: unknown
  readonly policy?: unknown
  readonly stunServers?: unknown
  readonly turnServers?: unknown
  readonly isSupported?: unknown
  readonly isComplete?: unknown
  readonly attempts?: unknown
  readonly reason?: unknown
  readonly silentMs?: unknown
  readonly roundTripMs?: unknown
  readonly everConnected?: unknown
  readonly gathered?: unknown
  readonly pairs?: unknown
  readonly requestsSent?: unknown
  readonly responsesReceived?: unknown
  readonly host?: unknown
  readonly mdns?: unknown
  readonly srflx?: unknown
  readonly prflx?: unknown
  readonly relay?: unknown
  readonly url?: unknown
  readonly code?: unknown
  readonly text?: unknown
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf<T>(value: unknown, max: number, parse: (item: unknown) => T | null): T[] | null {
  if (!Array.isArray(value) || value.length > max) return null
  const parsed = (value as unknown[]).map(parse)
  return parsed.every((item) => item !== null) ? parsed : null
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T | null {
  return known.find((one) => one === value) ?? null
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value)
}
