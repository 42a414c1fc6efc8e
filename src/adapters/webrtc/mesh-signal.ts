/**
 * What pages say to each other through the broker, inside sealed envelopes. The sender holds the
 * room's secret, which does not make it a friend: every field is checked.
 *
 * Attempts at a connection of a pair are numbered by the initiator, so what belongs to an attempt
 * that was replaced meanwhile is known and ignored.
 */

import { decodeUtf8, encodeUtf8 } from '../../core/base/utf8.ts'
import { SIGNAL_TEXT_MAX } from './limits.ts'
import type { RtcSignal } from './rtc-peer.ts'

const REASON_MAX = 200

/**
 * What a page is in its room, as it says itself: good for deciding whom to link with, not for
 * believing. Two guests (observers, clients) have nothing to say to each other; a guest stays one
 * for as long as its page lives.
 */
export type PagePart = 'undecided' | 'voter' | 'guest'

/** By what its member says; nobody is a voter before the founding. */
export function partOf(sid: number | null, voters: readonly number[]): PagePart {
  if (voters.length === 0) return 'undecided'
  return sid !== null && voters.includes(sid) ? 'voter' : 'guest'
}

export type MeshSignal = (
  | { readonly kind: 'rtc'; readonly attempt: number; readonly signal: RtcSignal }
  /** From the side that does not offer: that attempt is over (or never came), make a new one. */
  | { readonly kind: 'ask'; readonly attempt: number }
  /** No connection for now, whoever asks; `reason` is for people. */
  | { readonly kind: 'refuse'; readonly attempt: number; readonly reason: string }
) & {
  /** Of the sender; absent while it is undecided. */
  readonly part?: PagePart
}

export function encodeMeshSignal(signal: MeshSignal): Uint8Array {
  return encodeUtf8(JSON.stringify(signal))
}

/** null for anything else. */
export function decodeMeshSignal(bytes: Uint8Array): MeshSignal | null {
  if (bytes.length > SIGNAL_TEXT_MAX) return null
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(bytes))
  } catch {
    return null
  }
  if (!isObject(value)) return null
  const { kind, attempt } = value
  if (!isAttempt(attempt)) return null
  const said = value['part']
  const part = said === 'voter' || said === 'guest' ? { part: said as PagePart } : {}
  switch (kind) {
    case 'rtc': {
      const signal = parseRtcSignal(value['signal'])
      return signal === null ? null : { kind, attempt, signal, ...part }
    }
    case 'ask':
      return { kind, attempt, ...part }
    case 'refuse': {
      const reason = value['reason']
      return typeof reason === 'string'
        ? { kind, attempt, reason: reason.slice(0, REASON_MAX), ...part }
        : null
    }
    default:
      return null
  }
}

/** Only what a connection of data channels needs; simple-peer's other signals are never made. */
function parseRtcSignal(value: unknown): RtcSignal | null {
  if (!isObject(value)) return null
  const { type, sdp, candidate } = value
  if (type === 'offer' || type === 'answer') {
    return typeof sdp === 'string' ? { type, sdp } : null
  }
  if (type !== 'candidate' || !isObject(candidate)) return null
  const { candidate: line, sdpMid, sdpMLineIndex } = candidate
  if (typeof line !== 'string') return null
  return {
    type,
    candidate: {
      candidate: line,
      sdpMid: typeof sdpMid === 'string' ? sdpMid : null,
      sdpMLineIndex: typeof sdpMLineIndex === 'number' ? sdpMLineIndex : null,
    },
  }
}

interface Fields {
  readonly [name: string]: unknown
  readonly kind?: unknown
  readonly attempt?: unknown
  readonly type?: unknown
  readonly sdp?: unknown
  readonly candidate?: unknown
  readonly sdpMid?: unknown
  readonly sdpMLineIndex?: unknown
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAttempt(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
