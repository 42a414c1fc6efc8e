/**
 * The broker's messages: one JSON object per WebSocket text message, checked strictly on both
 * sides, since neither trusts the other.
 *
 * A peer id is the hash of a token that only its page knows, so a page that reconnects proves by
 * the token that the id is its own, also to a broker that lost its memory; a peer of the room,
 * which sees the id, cannot take it over.
 */

import { toHex } from '../core/base/bytes.ts'
import { encodeUtf8 } from '../core/base/utf8.ts'
import { sha256 } from '../core/base/sha256.ts'
import type { GoneReason, PeerId, RoomPeer } from '../ports/signaling.ts'

export const SIGNAL_PROTOCOL_VERSION = 1
export const SIGNAL_PATH = '/signal'

const PEER_ID_BYTES = 16
const ROOM_ID = /^[0-9a-f]{64}$/
const PEER_ID = /^[0-9a-f]{32}$/
const TOKEN = /^[0-9a-f]{32}$/
const BODY = /^[A-Za-z0-9+/]+={0,2}$/
/** Longest text for people in an error, in characters: it is shown in pages. */
const ERROR_TEXT_MAX = 200
/** Longest peer list that a client believes; the broker's own bound is lower (SIGNAL_LIMITS). */
const PEERS_MAX = 4096

export type ClientMessage =
  | {
      readonly type: 'join'
      readonly version: number
      readonly room: string
      readonly token: string
    }
  | { readonly type: 'relay'; readonly to: PeerId; readonly body: string }
  | { readonly type: 'leave' }
  | { readonly type: 'ping' }

export const SIGNAL_ERRORS = [
  'bad-message',
  'version',
  'not-joined',
  'already-joined',
  'no-peer',
  'room-full',
  'rooms-full',
  'sockets-full',
  'too-fast',
  'busy',
  'too-slow',
  'replaced',
  'join-timeout',
] as const
export type SignalErrorCode = (typeof SIGNAL_ERRORS)[number]

export type ServerMessage =
  /** The answer to join, and again for everybody when somebody joins: the whole room. */
  | { readonly type: 'peers'; readonly peers: readonly RoomPeer[] }
  | { readonly type: 'relay'; readonly from: PeerId; readonly body: string }
  | { readonly type: 'gone'; readonly peer: PeerId; readonly reason: GoneReason }
  | { readonly type: 'error'; readonly code: SignalErrorCode; readonly message: string }
  | { readonly type: 'pong' }

export function peerIdOf(token: string): PeerId {
  return toHex(sha256(encodeUtf8(`zabra peer ${token}`)).subarray(0, PEER_ID_BYTES))
}

/** null when the text is no message of this protocol. */
export function parseClientMessage(text: string): ClientMessage | null {
  const fields = parseObject(text)
  if (fields === null) return null
  const { type, version, room, token, to, body } = fields
  switch (type) {
    case 'join':
      return hasOnly(fields, 4) &&
        isCount(version) &&
        matches(room, ROOM_ID) &&
        matches(token, TOKEN)
        ? { type, version, room, token }
        : null
    case 'relay':
      return hasOnly(fields, 3) && matches(to, PEER_ID) && matches(body, BODY)
        ? { type, to, body }
        : null
    case 'leave':
    case 'ping':
      return hasOnly(fields, 1) ? { type } : null
    default:
      return null
  }
}

/** null when the text is no message of this protocol. */
export function parseServerMessage(text: string): ServerMessage | null {
  const fields = parseObject(text)
  if (fields === null) return null
  const { type, peers, from, body, peer, reason, code, message } = fields
  switch (type) {
    case 'peers': {
      const list = parsePeers(peers)
      return list === null ? null : { type, peers: list }
    }
    case 'relay':
      return matches(from, PEER_ID) && matches(body, BODY) ? { type, from, body } : null
    case 'gone':
      return matches(peer, PEER_ID) && (reason === 'left' || reason === 'dropped')
        ? { type, peer, reason }
        : null
    case 'error': {
      const known = SIGNAL_ERRORS.find((one) => one === code)
      return known !== undefined && typeof message === 'string'
        ? { type, code: known, message: message.slice(0, ERROR_TEXT_MAX) }
        : null
    }
    case 'pong':
      return { type }
    default:
      return null
  }
}

type Fields = Readonly<Partial<Record<string, unknown>>> & {
  readonly type?: unknown
  readonly version?: unknown
  readonly room?: unknown
  readonly token?: unknown
  readonly to?: unknown
  readonly from?: unknown
  readonly body?: unknown
  readonly peers?: unknown
  readonly peer?: unknown
  readonly order?: unknown
  readonly reason?: unknown
  readonly code?: unknown
  readonly message?: unknown
}

function parseObject(text: string): Fields | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return isFields(value) ? value : null
}

function parsePeers(value: unknown): RoomPeer[] | null {
  if (!Array.isArray(value) || value.length > PEERS_MAX) return null
  const peers: RoomPeer[] = []
  for (const item of value as unknown[]) {
    if (!isFields(item) || !matches(item.peer, PEER_ID) || !isCount(item.order)) return null
    peers.push({ peer: item.peer, order: item.order })
  }
  return peers
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasOnly(fields: Fields, count: number): boolean {
  return Object.keys(fields).length === count
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
