/** What servers tell each other while they elect (Q9, Q21). No jute record: fields by position. */

import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts'
import { JuteError } from './jute-error.ts'
import type { JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import type { JuteWriter } from './writer.ts'

export const ServerState = {
  LOOKING: 0,
  FOLLOWING: 1,
  LEADING: 2,
  OBSERVING: 3,
} as const

export type ServerState = (typeof ServerState)[keyof typeof ServerState]

/** Version 2 carries the sender's configuration, 1 does not, 0 has no version field. */
export const NOTIFICATION_VERSION = 2

/** An observer that looks for a leader proposes Long.MIN_VALUE for server, zxid and epoch (Q20). */
export const OBSERVER_VOTE: bigint = -(1n << 63n)

/** Longest election message, in bytes (Q21: PACKETMAXSIZE). */
export const ELECTION_MESSAGE_MAX: number = 512 * 1024

export interface Notification {
  /** A ServerState; other ints are to be ignored. */
  readonly state: number
  /** The proposed leader. */
  readonly leader: bigint
  readonly zxid: bigint
  /** The sender's logicalclock. */
  readonly electionEpoch: bigint
  /** currentEpoch of the proposed leader. */
  readonly peerEpoch: bigint
  readonly version: number
  /** Text of the sender's configuration, in UTF-8. null below version 2. */
  readonly config: Uint8Array | null
}

/** A message of its own: the two older forms are told by their length (28 and 40 bytes). */
export const notificationRecord: JuteRecord<Notification> = {
  name: 'Notification',
  write(w: JuteWriter, v: Notification): void {
    w.int(v.state)
    w.long(v.leader)
    w.long(v.zxid)
    w.long(v.electionEpoch)
    w.long(v.peerEpoch)
    w.int(v.version)
    if (v.version > 1) {
      const config = v.config ?? new Uint8Array(0)
      w.int(config.length)
      w.raw(config)
    }
  },
  read(r: JuteReader): Notification {
    const length = r.remaining
    const state = r.int()
    const leader = r.long()
    const zxid = r.long()
    const electionEpoch = r.long()
    if (length === 28) {
      const peerEpoch = BigInt.asUintN(32, zxid >> 32n)
      return { state, leader, zxid, electionEpoch, peerEpoch, version: 0, config: null }
    }
    const peerEpoch = r.long()
    const version = r.int()
    // ZooKeeper takes the 40-byte form for version 0, whatever its last four bytes say.
    if (length === 40) {
      return { state, leader, zxid, electionEpoch, peerEpoch, version: 0, config: null }
    }
    const config = version > 1 ? readConfig(r) : null
    return { state, leader, zxid, electionEpoch, peerEpoch, version, config }
  },
}

/** First message on an election connection over TCP (Q21). */
export interface InitialMessage {
  readonly sid: bigint
  /** host:port of the sender's election listener, several of them in the newer form. */
  readonly addresses: readonly string[]
  /** −65536 one address; −65535 several, separated by '|'. */
  readonly protocolVersion: bigint
}

export const INITIAL_MESSAGE_V1: bigint = -65536n
export const INITIAL_MESSAGE_V2: bigint = -65535n
/** Most bytes of addresses that ZooKeeper reads. */
const ADDRESS_BYTES_MAX = 2048

export const initialMessageRecord: JuteRecord<InitialMessage> = {
  name: 'InitialMessage',
  write(w: JuteWriter, v: InitialMessage): void {
    w.long(v.protocolVersion)
    w.long(v.sid)
    w.buffer(encodeUtf8(v.addresses.join('|')))
  },
  read(r: JuteReader): InitialMessage {
    const protocolVersion = r.long()
    if (protocolVersion !== INITIAL_MESSAGE_V1 && protocolVersion !== INITIAL_MESSAGE_V2) {
      throw new JuteError(`election protocol version ${protocolVersion}`)
    }
    const sid = r.long()
    const text = r.buffer()
    if (text === null || text.length === 0 || text.length > ADDRESS_BYTES_MAX) {
      throw new JuteError(`addresses of ${text?.length ?? -1} bytes`)
    }
    return { protocolVersion, sid, addresses: decodeUtf8(text).split('|') }
  },
}

function readConfig(r: JuteReader): Uint8Array {
  const length = r.int()
  if (length < 0 || length > r.remaining) {
    throw new JuteError(`configuration of ${length} bytes with ${r.remaining} left`)
  }
  return r.raw(length)
}
