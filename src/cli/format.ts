/** The shapes of the shell's output (C3, C9, C17, C36). */

import { messageOf } from '../core/base/message-of.ts'
import { decodeUtf8 } from '../core/base/utf8.ts'
import { formatSessionId, formatZxid } from '../core/base/zxid.ts'
import type { ZooKeeperError } from '../client/errors.ts'
import { InvalidPathError, isZooKeeperError } from '../client/errors.ts'
import type { WatchedEvent } from '../client/watched-event.ts'
import type { Acl, Stat } from '../core/jute/data-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { eventTypeName, keeperStateName } from '../core/jute/event-type.ts'
import { permsToLetters } from '../core/jute/perms.ts'
import type { ShellMode } from './command.ts'
import { javaDate } from './java-date.ts'
import { CommandError, IllegalArgumentError } from './parse.ts'

/** The 11 lines of both eras. */
export function statLines(stat: Stat, timeZone: string | undefined): string[] {
  return [
    `cZxid = ${formatZxid(stat.czxid)}`,
    `ctime = ${javaDate(stat.ctime, timeZone)}`,
    `mZxid = ${formatZxid(stat.mzxid)}`,
    `mtime = ${javaDate(stat.mtime, timeZone)}`,
    `pZxid = ${formatZxid(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${formatSessionId(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ]
}

/** Java's List.toString. */
export function listText(items: readonly string[]): string {
  return `[${items.join(', ')}]`
}

export function dataText(data: Uint8Array | null): string {
  return data === null ? 'null' : decodeUtf8(data)
}

/** Since 3.9 the text ends with the zxid of the transaction, in decimal. */
export function eventText(event: WatchedEvent, mode: ShellMode): string {
  const { type, state, path, zxid } = event
  const text =
    `WatchedEvent state:${keeperStateName(state)} type:${eventTypeName(type)} ` +
    `path:${path ?? 'null'}`
  return mode === '3.4' ? text : `${text} zxid: ${zxid}`
}

/** Two lines each, as the record's own text ends with a line break. */
export function aclLines(acl: readonly Acl[]): string[] {
  return acl.flatMap(({ id, perms }) => [`'${id.scheme},'${id.id}`, `: ${permsToLetters(perms)}`])
}

const COMMON_ERRORS: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.NONODE, 'Node does not exist: '],
  [ErrorCode.NOCHILDRENFOREPHEMERALS, 'Ephemerals cannot have children: '],
  [ErrorCode.NODEEXISTS, 'Node already exists: '],
  [ErrorCode.NOTEMPTY, 'Node not empty: '],
  [ErrorCode.NOTREADONLY, 'Not a read-only call: '],
  [ErrorCode.INVALIDACL, 'Acl is not valid : '],
  [ErrorCode.BADARGUMENTS, 'Arguments are not valid : '],
  [ErrorCode.BADVERSION, 'version No is not valid : '],
])

const NO_QUORUM_OF_NEW_CONFIG =
  'No quorum of new config is connected and up-to-date with the leader of last committed config ' +
  '- try invoking reconfiguration after new servers are connected and synced'
const RECONFIG_IN_PROGRESS =
  'Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)'

/** The line for a call that failed. The path is that of the request (C37). */
export function errorLine(error: unknown, mode: ShellMode): string {
  if (error instanceof InvalidPathError) return illegalArgument(error.message, mode)
  if (error instanceof IllegalArgumentError && mode === '3.4') {
    return `Command failed: ${error.name}: ${error.message}`
  }
  if (error instanceof CommandError) return error.message
  if (isZooKeeperError(error)) return zooKeeperErrorLine(error, mode)
  return messageOf(error)
}

function illegalArgument(message: string, mode: ShellMode): string {
  const name = 'java.lang.IllegalArgumentException'
  return mode === '3.4' ? `Command failed: ${name}: ${message}` : message
}

function zooKeeperErrorLine(error: ZooKeeperError, mode: ShellMode): string {
  const path = error.path ?? 'null'
  const common = COMMON_ERRORS.get(error.code)
  if (common !== undefined) return common + path
  if (error.code === ErrorCode.NOAUTH) {
    return `${mode === '3.4' ? 'Authentication is not valid' : 'Insufficient permission'} : ${path}`
  }
  if (mode === '3.4') return error.message
  if (error.code === ErrorCode.QUOTAEXCEEDED) return `Quota has exceeded : ${path}`
  if (error.code === ErrorCode.NEWCONFIGNOQUORUM) return NO_QUORUM_OF_NEW_CONFIG
  if (error.code === ErrorCode.RECONFIGINPROGRESS) return RECONFIG_IN_PROGRESS
  return error.message
}
