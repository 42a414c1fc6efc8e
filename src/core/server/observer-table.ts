/**
 * Which observers the ensemble knows: the text of /zookeeper/observers, and how a place in it is
 * given (design §4, "Membership"). Pure; the leader proposes what `grantPlace` says.
 *
 *     sid=4 incarnation=9f3a… base=68719476736
 *
 * One line per observer, oldest grant first. A line is replaced, never removed: so a server id
 * keeps what was given under it, and no session id is ever made twice.
 */
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts'
import { toServerId, type ServerId } from '../base/zxid.ts'
import { OBSERVERS_MAX } from '../zab/constants.ts'

export interface ObserverEntry {
  readonly sid: ServerId
  /** Hash of the observer's key, in lower-case hex. */
  readonly incarnation: string
  /** The low 56 bits of its session ids begin here (S1). */
  readonly sessionBase: bigint
}

/**
 * Session ids of one grant. Grants never overlap, and a million of them fit below the 56 bits that
 * the server id leaves: one every half minute for a year, for each of sixteen server ids.
 */
export const SESSION_BASE_SPAN: bigint = 1n << 36n
const SESSION_BASE_END = 1n << 56n
/** Highest server id in ZooKeeper with extended types (Q2). */
const SID_MAX = 254
/** Characters of an incarnation: a SHA-512 in hex is the longest hash that anybody would take. */
const INCARNATION_LENGTH_MAX = 128
/** Bytes of the text that are looked at. Longer than sixteen of the longest lines. */
const TEXT_BYTES_MAX = 8192

const INCARNATION = /^(?:[0-9a-f]{2})+$/
const LINE = /^sid=(\d{1,3}) incarnation=([0-9a-f]+) base=(\d{1,17})$/

export function isIncarnation(text: string): boolean {
  return text.length <= INCARNATION_LENGTH_MAX && INCARNATION.test(text)
}

export function formatObservers(entries: readonly ObserverEntry[]): Uint8Array {
  const lines = entries.map(
    ({ sid, incarnation, sessionBase }) =>
      `sid=${sid} incarnation=${incarnation} base=${sessionBase}\n`,
  )
  return encodeUtf8(lines.join(''))
}

/** Lines that are none are skipped, as is what comes after OBSERVERS_MAX good ones. */
export function parseObservers(data: Uint8Array | null): ObserverEntry[] {
  if (data === null || data.length > TEXT_BYTES_MAX) return []
  const entries: ObserverEntry[] = []
  for (const line of decodeUtf8(data).split('\n')) {
    const entry = parseLine(line)
    if (entry === null || entries.some((other) => isSame(other, entry))) continue
    entries.push(entry)
    if (entries.length === OBSERVERS_MAX) break
  }
  return entries
}

function parseLine(line: string): ObserverEntry | null {
  const [, sidText = '', incarnation = '', baseText = ''] = LINE.exec(line) ?? []
  const sid = Number(sidText)
  const sessionBase = BigInt(baseText)
  if (sid < 1 || sid > SID_MAX || !isIncarnation(incarnation)) return null
  if (sessionBase < SESSION_BASE_SPAN || sessionBase >= SESSION_BASE_END) return null
  return { sid: toServerId(sid), incarnation, sessionBase }
}

function isSame(a: ObserverEntry, b: ObserverEntry): boolean {
  return a.sid === b.sid || a.incarnation === b.incarnation
}

export type Grant =
  | { readonly table: readonly ObserverEntry[]; readonly granted: ObserverEntry }
  | { readonly refusal: string }

/** What the leader knows when it gives a place. */
export interface GrantView {
  readonly table: readonly ObserverEntry[]
  readonly voters: readonly ServerId[]
  /** May this observer's place go to another one? */
  isReclaimable(entry: ObserverEntry): boolean
}

/** A place for that incarnation: the one it has, a free one, or the oldest that nobody needs. */
export function grantPlace(view: GrantView, incarnation: string): Grant {
  if (!isIncarnation(incarnation)) return { refusal: 'its name is no hash' }
  const { table, voters } = view
  const own = table.find((entry) => entry.incarnation === incarnation)
  if (own !== undefined && voters.includes(own.sid)) return { refusal: 'it is a voter' }
  if (own !== undefined) return grantAgain(table, own, incarnation)
  if (table.length < OBSERVERS_MAX) {
    const sid = lowestFree(table, voters)
    if (sid === null) return { refusal: 'no server id is free' }
    const granted = { sid, incarnation, sessionBase: SESSION_BASE_SPAN }
    return { table: [...table, granted], granted }
  }
  const oldest = table.find(
    (entry) => !voters.includes(entry.sid) && view.isReclaimable(entry) && hasIdsLeft(entry),
  )
  if (oldest === undefined) return { refusal: `there are ${OBSERVERS_MAX} observers already` }
  return grantAgain(table, oldest, incarnation)
}

/** The same server id, further on in its session ids. */
function grantAgain(
  table: readonly ObserverEntry[],
  old: ObserverEntry,
  incarnation: string,
): Grant {
  if (!hasIdsLeft(old)) return { refusal: `server id ${old.sid} has no session ids left` }
  const { sid } = old
  const granted = { sid, incarnation, sessionBase: old.sessionBase + SESSION_BASE_SPAN }
  return { table: [...table.filter((entry) => entry !== old), granted], granted }
}

function hasIdsLeft({ sessionBase }: ObserverEntry): boolean {
  return sessionBase + SESSION_BASE_SPAN < SESSION_BASE_END
}

/** Above the voters, so that an observer's number tells it from a founder. */
function lowestFree(table: readonly ObserverEntry[], voters: readonly ServerId[]): ServerId | null {
  const taken = new Set(table.map((entry) => entry.sid))
  for (let sid = Math.max(0, ...voters) + 1; sid <= SID_MAX; sid++) {
    if (!taken.has(toServerId(sid))) return toServerId(sid)
  }
  return null
}
