/** A member's settings as a recording has them: all but the secret that the ensemble shares. */
import type { ServerId } from '../../core/base/zxid.ts'
import { toServerId, toZxid } from '../../core/base/zxid.ts'
import type { MemberConfig } from '../../core/server/member-machine.ts'
import { FlightFormatError } from './flight-bytes.ts'

export type ReplayConfig = Omit<MemberConfig, 'sessionKey'>

/** Instead of the secret. Passwords in a recording are those under this key. */
export const SESSION_KEY_OF_REPLAYS: Uint8Array = new Uint8Array(32)

export function redactedConfig(config: MemberConfig): ReplayConfig {
  const { sessionKey: _secret, ...rest } = config
  return rest
}

export function replayConfig(config: ReplayConfig): MemberConfig {
  return { ...config, sessionKey: SESSION_KEY_OF_REPLAYS }
}

/** JSON has no 64-bit numbers: as decimal text. */
export function configJson(config: ReplayConfig): Readonly<Record<string, unknown>> {
  const { originZxid, sessionBase, ...rest } = config
  return {
    ...rest,
    ...(originZxid === undefined ? {} : { originZxid: String(originZxid) }),
    ...(sessionBase === undefined ? {} : { sessionBase: String(sessionBase) }),
  }
}

/** What a recording says of its member. Settings of a later version are passed on as they are. */
export function readConfig(json: unknown): ReplayConfig {
  if (typeof json !== 'object' || json === null) throw new FlightFormatError('no settings')
  const config = json as Readonly<Record<string, unknown>>
  const { sid, voters, clusterId, seed, tickTimeMs, originZxid, sessionBase, ...rest } = config
  const isWhole =
    isServerId(sid) &&
    Array.isArray(voters) &&
    voters.every(isServerId) &&
    typeof clusterId === 'string' &&
    typeof seed === 'number' &&
    typeof tickTimeMs === 'number'
  if (!isWhole) throw new FlightFormatError('the settings of the member are not whole')
  const sids: ServerId[] = voters.map(toServerId)
  return {
    ...rest,
    ...{ sid: toServerId(sid), voters: sids, clusterId, seed, tickTimeMs },
    ...(originZxid === undefined ? {} : { originZxid: toZxid(readLong(originZxid)) }),
    ...(sessionBase === undefined ? {} : { sessionBase: readLong(sessionBase) }),
  }
}

function readLong(text: unknown): bigint {
  if (typeof text === 'string' && /^\d{1,19}$/.test(text)) return BigInt(text)
  throw new FlightFormatError('a setting of the member is no number')
}

function isServerId(n: unknown): n is number {
  return typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= 255
}
