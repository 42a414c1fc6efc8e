/**
 * What a server said, as text that must be the same on both: zxids by their distance from the run's
 * first, session ids by whose they are, times left out but for their order.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import {
  replyHeaderRecord,
  watcherEventRecord,
  type ReplyHeader,
} from '../../src/core/jute/connect-records.ts'
import type { Stat } from '../../src/core/jute/data-records.ts'
import { multiResponseRecord } from '../../src/core/jute/multi.ts'
import { OpCode, SpecialXid } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import type { JuteDecoder } from '../../src/core/jute/record.ts'
import * as session from '../../src/core/jute/session-records.ts'

export interface Names {
  /** Taken off paths. */
  readonly root: string
  /** Subtracted from zxids. */
  readonly baseZxid: bigint
  /** Whose session it is, in the run's own numbers. */
  sessionName(id: bigint): string
}

export interface Said {
  readonly header: ReplyHeader
  readonly text: string
}

const BODIES: ReadonlyMap<number, JuteDecoder<unknown>> = new Map<number, JuteDecoder<unknown>>([
  [OpCode.create, proto.createResponseRecord],
  [OpCode.create2, proto.create2ResponseRecord],
  [OpCode.createContainer, proto.create2ResponseRecord],
  [OpCode.createTTL, proto.create2ResponseRecord],
  [OpCode.exists, proto.existsResponseRecord],
  [OpCode.getData, proto.getDataResponseRecord],
  [OpCode.setData, proto.setDataResponseRecord],
  [OpCode.getACL, proto.getACLResponseRecord],
  [OpCode.setACL, proto.setACLResponseRecord],
  [OpCode.getChildren, proto.getChildrenResponseRecord],
  [OpCode.getChildren2, proto.getChildren2ResponseRecord],
  [OpCode.sync, proto.syncResponseRecord],
  [OpCode.multi, multiResponseRecord],
  [OpCode.multiRead, multiResponseRecord],
  [OpCode.getEphemerals, session.getEphemeralsResponseRecord],
  [OpCode.getAllChildrenNumber, session.getAllChildrenNumberResponseRecord],
  [OpCode.addWatch, session.errorResponseRecord],
  [OpCode.whoAmI, session.whoAmIResponseRecord],
])

export function readHeader(payload: Uint8Array): ReplyHeader {
  return replyHeaderRecord.read(new JuteReader(payload))
}

export function eventText(payload: Uint8Array, names: Names): string {
  const r = new JuteReader(payload)
  replyHeaderRecord.read(r)
  const { type, state, path } = watcherEventRecord.read(r)
  return `event type ${type} state ${state} path ${plainPath(path ?? '', names)}`
}

export function replyText(type: number, payload: Uint8Array, names: Names): string {
  const r = new JuteReader(payload)
  const { xid, zxid, err } = replyHeaderRecord.read(r)
  // Of an answer to authentication ZooKeeper says zxid 0.
  const said = xid === SpecialXid.auth ? '' : ` zxid ${distance(zxid, names)}`
  const head = `xid ${xid}${said} err ${err}`
  if (r.remaining === 0) return head
  const record = BODIES.get(type)
  const body = record === undefined ? toHex(payload.slice(-r.remaining)) : record.read(r)
  const rest = r.remaining === 0 || record === undefined ? '' : ` and ${r.remaining} bytes more`
  return `${head} ${JSON.stringify(body, (_key, value: unknown) => plain(value, names))}${rest}`
}

/** Children are a set (D64: their order is the hash order of a map). */
function plain(value: unknown, names: Names): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return plainPath(value, names)
  if (value instanceof Uint8Array) return `bytes:${toHex(value)}`
  if (Array.isArray(value)) return isTexts(value) ? [...value].sort() : value
  if (isStat(value)) return statText(value, names)
  return value
}

function statText(stat: Stat, names: Names): string {
  const owner = names.sessionName(stat.ephemeralOwner)
  return [
    `c${distance(stat.czxid, names)} m${distance(stat.mzxid, names)}`,
    `p${distance(stat.pzxid, names)} v${stat.version} cv${stat.cversion} av${stat.aversion}`,
    `owner ${owner} length ${stat.dataLength} children ${stat.numChildren}`,
    stat.ctime <= stat.mtime ? '' : 'mtime before ctime',
  ].join(' ')
}

function distance(zxid: bigint, { baseZxid }: Names): string {
  return zxid <= 0n ? String(zxid) : `+${zxid - baseZxid}`
}

function plainPath(path: string, { root }: Names): string {
  return path.startsWith(root) ? `~${path.slice(root.length)}` : path
}

function isTexts(value: readonly unknown[]): value is string[] {
  return value.every((item) => typeof item === 'string')
}

function isStat(value: unknown): value is Stat {
  return typeof value === 'object' && value !== null && 'czxid' in value
}
