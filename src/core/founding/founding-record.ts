/**
 * The founding record: who the founding voters are, written once by the creator (design §4).
 *
 *     SignedFoundingRecord { buffer body; buffer signature }
 *     body = FoundingRecord {
 *       int version; buffer clusterId; ustring room; int size; buffer sessionKey; buffer
 * creatorKey;
 *       vector<Member> members; version 2: long origin }
 *     Member { int sid; ustring incarnation; buffer publicKey }
 *
 * The signature is the creator's, over SIGNING_PREFIX and the body. Whoever parses a record here
 * knows that it is well formed and agrees with itself; that it was signed is checked outside.
 */
import { assert } from '../base/assert.ts'
import { concat, equal } from '../base/bytes.ts'
import { encodeUtf8 } from '../base/utf8.ts'
import { type ServerId, toServerId, toZxid, type Zxid, ZXID_NONE } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import type { JuteReader } from '../jute/reader.ts'
import { decode, encode, type JuteRecord } from '../jute/record.ts'
import { incarnationOf } from './key-names.ts'

export const FOUNDING_VERSION = 1
/** Of an ensemble whose history does not begin at nothing. Older builds refuse it, as they must. */
export const ORIGIN_VERSION = 2
export const CLUSTER_ID_BYTES = 16
export const SESSION_KEY_BYTES = 32
/** Voters of one ensemble: as many as there are server ids (Q2). */
export const FOUNDING_SIZE_MAX = 255
/** A record of 255 members takes some 28 KB; a longer one is no record. */
export const SIGNED_RECORD_BYTES_MAX: number = 32 * 1024
/** No other bytes that a member signs begin like this. */
const SIGNING_PREFIX: Uint8Array = encodeUtf8('zabra founding record\n')

export interface FoundingMember {
  readonly sid: ServerId
  readonly incarnation: string
  /** Raw public key. */
  readonly publicKey: Uint8Array
}

export interface FoundingRecord {
  /** Random; the ensemble's name for itself. */
  readonly clusterId: Uint8Array
  readonly room: string
  /** Number of founding voters; that many members follow. */
  readonly size: number
  /** Key of the session passwords (S2), known to whoever was admitted to the room. */
  readonly sessionKey: Uint8Array
  /** Raw public key of the signer, who is one of the members. */
  readonly creatorKey: Uint8Array
  /** Sids 1…size in this order. */
  readonly members: readonly FoundingMember[]
  /**
   * Where its history begins: ZXID_NONE, or the state that the creator brings along from another
   * ensemble (design §4, lost majority). Then nobody without that state may lead: two members with
   * nothing would be a majority, and the creator's state lost.
   */
  readonly origin: Zxid
}

export interface SignedFoundingRecord {
  /** The whole thing, as it is stored and passed on. */
  readonly envelope: Uint8Array
  readonly body: Uint8Array
  readonly signature: Uint8Array
  readonly record: FoundingRecord
}

const MEMBER: JuteRecord<FoundingMember> = {
  name: 'Member',
  write(w, member) {
    w.int(member.sid)
    w.ustring(member.incarnation)
    w.buffer(member.publicKey)
  },
  read(r) {
    const sid = r.int()
    if (sid < 1 || sid > FOUNDING_SIZE_MAX) throw new JuteError(`server id ${sid}`)
    const incarnation = r.string('incarnation')
    return { sid: toServerId(sid), incarnation, publicKey: bytes(r.buffer(), 'publicKey') }
  },
}

const RECORD: JuteRecord<FoundingRecord> = {
  name: 'FoundingRecord',
  write(w, v) {
    w.int(v.origin === ZXID_NONE ? FOUNDING_VERSION : ORIGIN_VERSION)
    w.buffer(v.clusterId)
    w.ustring(v.room)
    w.int(v.size)
    w.buffer(v.sessionKey)
    w.buffer(v.creatorKey)
    w.vector(v.members, (w2, member) => MEMBER.write(w2, member))
    if (v.origin !== ZXID_NONE) w.long(v.origin)
  },
  read(r) {
    const version = r.int()
    if (version !== FOUNDING_VERSION && version !== ORIGIN_VERSION) {
      throw new JuteError(`founding record of version ${version}`)
    }
    return {
      clusterId: bytes(r.buffer(), 'clusterId'),
      room: r.string('room'),
      size: r.int(),
      sessionKey: bytes(r.buffer(), 'sessionKey'),
      creatorKey: bytes(r.buffer(), 'creatorKey'),
      members: r.list('members', (r2) => MEMBER.read(r2)),
      origin: version === ORIGIN_VERSION ? readOrigin(r) : ZXID_NONE,
    }
  },
}

const ENVELOPE: JuteRecord<{ readonly body: Uint8Array; readonly signature: Uint8Array }> = {
  name: 'SignedFoundingRecord',
  write(w, v) {
    w.buffer(v.body)
    w.buffer(v.signature)
  },
  read(r) {
    return { body: bytes(r.buffer(), 'body'), signature: bytes(r.buffer(), 'signature') }
  },
}

/** The body to be signed. Asserts that the record agrees with itself: it is ours. */
export function encodeFoundingRecord(record: FoundingRecord): Uint8Array {
  const fault = faultOf(record)
  assert(fault === null, `founding record: ${fault ?? ''}`)
  return encode(RECORD, record)
}

/** What the creator signs and everybody verifies. */
export function foundingBytesToSign(body: Uint8Array): Uint8Array {
  return concat([SIGNING_PREFIX, body])
}

export function sealFoundingRecord(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return encode(ENVELOPE, { body, signature })
}

/**
 * null for anything that is no well-formed record. Never throws; nothing is a view of the input.
 */
export function parseFoundingRecord(envelope: Uint8Array): SignedFoundingRecord | null {
  if (envelope.length > SIGNED_RECORD_BYTES_MAX) return null
  const own = envelope.slice()
  try {
    const { body, signature } = decode(ENVELOPE, own)
    const record = decode(RECORD, body)
    return faultOf(record) === null ? { envelope: own, body, signature, record } : null
  } catch (error) {
    if (error instanceof JuteError) return null
    throw error
  }
}

/**
 * The member of this key, or null: lost storage means another key, and another key is not listed.
 */
export function memberOf(record: FoundingRecord, publicKey: Uint8Array): FoundingMember | null {
  return record.members.find((member) => equal(member.publicKey, publicKey)) ?? null
}

function faultOf(record: FoundingRecord): string | null {
  const { clusterId, sessionKey, size, members, creatorKey } = record
  if (clusterId.length !== CLUSTER_ID_BYTES) return 'length of the cluster id'
  if (sessionKey.length !== SESSION_KEY_BYTES) return 'length of the session key'
  if (size < 1 || size > FOUNDING_SIZE_MAX || members.length !== size) return 'number of members'
  for (const [index, { sid, incarnation, publicKey }] of members.entries()) {
    if (sid !== index + 1) return 'order of server ids'
    if (incarnation !== incarnationOf(publicKey)) return 'a name that is not its key'
  }
  if (new Set(members.map((member) => member.incarnation)).size !== size) return 'a member twice'
  return memberOf(record, creatorKey) === null ? 'a creator who is no member' : null
}

function readOrigin(r: JuteReader): Zxid {
  const origin = r.long()
  if (origin <= 0n) throw new JuteError(`an origin of ${origin}`)
  return toZxid(origin)
}

function bytes(field: Uint8Array | null, what: string): Uint8Array {
  if (field === null) throw new JuteError(`${what} is null`)
  return field
}
