/**
 * The address of a room: `?room=NAME&size=N#SECRET[.CREATOR[.CLUSTER]]` (design §4).
 *
 * Name and size stand in the query, which the server sees; what admits and what identifies stands
 * in the fragment, which no server ever sees. A link typed by hand may leave out the size, CREATOR
 * and CLUSTER, and may have any secret a person can type.
 */

import { toBase64 } from '../core/base/bytes.ts'

export const ROOM_SIZE_DEFAULT = 3
/** One vote of a byte each is possible; beyond 9 voters every write waits for too many disks. */
export const ROOM_SIZE_MAX = 9
export const ROOM_NAME_MAX = 64
/** 128 bits: not to be guessed, and short enough for a link. */
export const SECRET_BYTES = 16
/** Longest secret that is taken from a link, in characters. */
export const SECRET_TEXT_MAX = 128
/** A secret made by `createSecret` has this many characters; a shorter one may be guessed. */
export const SECRET_STRONG_LENGTH = 22

const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u
/** What a person can type; the dot ends it. */
const SECRET = /^[^\s.#\p{C}]+$/u
const TAG = /^[A-Za-z0-9_-]{1,128}$/

export interface RoomLink {
  readonly room: string
  /** Number of founding voters. */
  readonly size: number
  readonly secret: string
  /** Short hash of the creator's public key; null in a link typed by hand. */
  readonly creator: string | null
  /** Known once the ensemble exists. */
  readonly cluster: string | null
}

export type RoomLinkErrorCode =
  'no-room' | 'bad-room' | 'bad-size' | 'no-secret' | 'bad-secret' | 'bad-creator' | 'bad-cluster'

export class RoomLinkError extends Error {
  readonly code: RoomLinkErrorCode
  constructor(code: RoomLinkErrorCode, message: string) {
    super(message)
    this.name = 'RoomLinkError'
    this.code = code
  }
}

/** Throws RoomLinkError with a sentence that a page can show. */
export function parseRoomLink(address: string | URL): RoomLink {
  const url = urlOf(address)
  const room = url.searchParams.get('room')
  if (room === null || room === '') {
    throw new RoomLinkError('no-room', 'The link names no room: it needs ?room=NAME#SECRET.')
  }
  const parts = decodeFragment(url.hash).split('.')
  const [secret = '', creator, cluster] = parts
  if (secret === '') {
    throw new RoomLinkError(
      'no-secret',
      'The link has no secret after #. Copy the whole link, with the part behind the #.',
    )
  }
  if (secret.length > SECRET_TEXT_MAX || !SECRET.test(secret) || parts.length > 3) {
    throw new RoomLinkError('bad-secret', 'The part of the link behind the # is damaged.')
  }
  return {
    room: parseRoomName(room),
    size: parseSize(url.searchParams.get('size')),
    secret,
    creator: parseTag(creator, 'bad-creator', 'creator'),
    cluster: parseTag(cluster, 'bad-cluster', 'cluster'),
  }
}

function urlOf(address: string | URL): URL {
  try {
    return new URL(address, 'http://localhost/')
  } catch {
    throw new RoomLinkError('no-room', 'This is no link: it begins with https:// and a host.')
  }
}

/** `page` is the address of the page to open; its query and fragment are replaced. */
export function formatRoomLink(page: string | URL, link: RoomLink): string {
  const url = new URL(page)
  url.search = ''
  url.searchParams.set('room', link.room)
  url.searchParams.set('size', String(link.size))
  const tags = [link.secret, link.creator, link.creator === null ? null : link.cluster]
  // The setter escapes everything but the escape itself.
  url.hash = tags
    .filter((tag) => tag !== null)
    .join('.')
    .replaceAll('%', '%25')
  return url.href
}

/** Normalised, so that one name typed on two systems is one room. */
export function parseRoomName(text: string): string {
  const name = text.normalize('NFC')
  if (name.length > ROOM_NAME_MAX || !ROOM_NAME.test(name)) {
    throw new RoomLinkError(
      'bad-room',
      `A room name has 1 to ${ROOM_NAME_MAX} letters, digits, dots, dashes or underscores and ` +
        'starts with a letter or digit.',
    )
  }
  return name
}

/** A fresh secret of 128 bits, in 22 characters that need no escaping. */
export function createSecret(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))
}

/** A secret typed by hand that others could guess: pages say so. */
export function isWeakSecret(secret: string): boolean {
  return secret.length < SECRET_STRONG_LENGTH
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function decodeFragment(hash: string): string {
  try {
    return decodeURIComponent(hash.replace(/^#/, ''))
  } catch {
    throw new RoomLinkError('bad-secret', 'The part of the link behind the # is damaged.')
  }
}

function parseSize(text: string | null): number {
  if (text === null) return ROOM_SIZE_DEFAULT
  const size = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (size < 1 || size > ROOM_SIZE_MAX) {
    throw new RoomLinkError('bad-size', `A room has 1 to ${ROOM_SIZE_MAX} machines.`)
  }
  return size
}

function parseTag(
  text: string | undefined,
  code: 'bad-creator' | 'bad-cluster',
  what: string,
): string | null {
  if (text === undefined) return null
  if (!TAG.test(text)) throw new RoomLinkError(code, `The ${what} in the link is damaged.`)
  return text
}
