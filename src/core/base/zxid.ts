/**
 * The numbers that name things: transactions, servers, sessions.
 *
 * All three are signed 64-bit longs on the wire (Java has no other). A zxid is epoch (high 32 bits)
 * and counter (low 32 bits), Q3; formatting shows the unsigned hex that ZooKeeper's tools print.
 */

import { assert } from './assert.ts'
import type { Brand } from './brand.ts'

export type Zxid = Brand<bigint, 'Zxid'>
export type ServerId = Brand<number, 'ServerId'>
export type SessionId = Brand<bigint, 'SessionId'>

const COUNTER_MASK = 0xffff_ffffn
const EPOCH_MAX = 0x7fff_ffff
const COUNTER_MAX = 0xffff_ffff

export const ZXID_NONE: Zxid = 0n as Zxid

export function makeZxid(epoch: number, counter: number): Zxid {
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch <= EPOCH_MAX, `epoch ${epoch}`)
  assert(Number.isInteger(counter) && counter >= 0 && counter <= COUNTER_MAX, `counter ${counter}`)
  return ((BigInt(epoch) << 32n) | BigInt(counter)) as Zxid
}

/** Takes any signed 64-bit number: −1 and the like do occur as "no zxid" (W16, Q18). */
export function toZxid(n: bigint): Zxid {
  if (BigInt.asIntN(64, n) !== n) assert(false, `zxid ${n} is not a signed 64-bit number`)
  return n as Zxid
}

/** The high half, unsigned. */
export function epochOf(z: Zxid): number {
  return Number((z >> 32n) & COUNTER_MASK)
}

export function counterOf(z: Zxid): number {
  return Number(z & COUNTER_MASK)
}

/** The next zxid of the same epoch. A leader steps down before the counter is used up (D35). */
export function nextZxid(z: Zxid): Zxid {
  if (counterOf(z) >= COUNTER_MAX) assert(false, `counter of ${formatZxid(z)} is used up`)
  return (z + 1n) as Zxid
}

export function formatZxid(z: bigint): string {
  return `0x${BigInt.asUintN(64, z).toString(16)}`
}

/**
 * Server ids are longs on the wire, and the configuration allows 1–255 (Q2). Observers vote for
 * Long.MIN_VALUE (Q20), so the wire layer keeps bigint and only real servers become a ServerId.
 */
export function toServerId(n: number): ServerId {
  assert(Number.isInteger(n) && n >= 0 && n <= 255, `server id ${n}`)
  return n as ServerId
}

/** Any signed 64-bit number. 0 means "none" (S3). */
export function toSessionId(n: bigint): SessionId {
  if (BigInt.asIntN(64, n) !== n) assert(false, `session id ${n} is not a signed 64-bit number`)
  return n as SessionId
}

export function formatSessionId(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`
}
