/**
 * Who changed what (A18): one line per write of this server's clients, per ephemeral node that goes
 * with its session, and per start and stop, in ZooKeeper's fields. Reads are not audited.
 */
import { formatSessionId, toSessionId } from '../../core/base/zxid.ts'
import { createModeFromFlag } from '../../core/jute/create-mode.ts'
import type { Acl, Id } from '../../core/jute/data-records.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { permsToLetters } from '../../core/jute/perms.ts'
import { multiRequestRecord, multiResponseRecord, type MultiOp } from '../../core/jute/multi.ts'
import { OpCode } from '../../core/jute/op-code.ts'
import {
  createRequestRecord,
  createResponseRecord,
  createTTLRequestRecord,
  deleteRequestRecord,
  setACLRequestRecord,
  setDataRequestRecord,
} from '../../core/jute/proto-records.ts'
import { decode } from '../../core/jute/record.ts'
import { decodeTxn } from '../../core/jute/txn.ts'
import { userOf } from '../../core/tree/acl.ts'
import type { TraceEvent } from '../../core/zab/effect.ts'
import type { AnsweredRequest, ConnectionTap } from './connection-tap.ts'
import { userName } from './environment.ts'

export type AuditResult = 'success' | 'failure' | 'invoked'

export interface AuditEntry {
  readonly session?: string
  readonly user?: string
  readonly ip?: string
  readonly operation: string
  readonly znode?: string
  readonly znode_type?: string
  readonly acl?: string
  readonly result: AuditResult
}

export interface AuditOptions {
  readonly write: (entry: AuditEntry) => void
  /** Whom the client of that session is known as. */
  readonly idsOf: (session: bigint) => readonly Id[]
}

/** Where the type stands in a log entry: behind client id, cxid, zxid and time. */
const TXN_TYPE_AT = 28
/** Closing sessions whose nodes are remembered until their transaction is applied. Ours. */
const CLOSING_MAX = 100_000
const ALLOW_TRAILING = { allowTrailing: true } as const

type Change = Pick<AuditEntry, 'operation' | 'znode' | 'znode_type' | 'acl'>

export class AuditLog {
  readonly #options: AuditOptions
  readonly #user = userName()
  readonly #closing = new Map<string, readonly string[]>()

  constructor(options: AuditOptions) {
    this.#options = options
  }

  wants(type: number): boolean {
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
      case OpCode.delete:
      case OpCode.setData:
      case OpCode.setACL:
      case OpCode.multi:
      case OpCode.reconfig:
        return true
      default:
        return false
    }
  }

  answered(tap: ConnectionTap, request: AnsweredRequest): void {
    const result = request.err === 0 ? 'success' : 'failure'
    try {
      if (request.type === OpCode.multi) this.#multi(tap, request)
      else this.#write(tap, changeOf(request), result)
    } catch (error) {
      // A body that cannot be read is refused, and still somebody sent it.
      if (!(error instanceof JuteError)) throw error
      this.#write(tap, { operation: operationOf(request.type) }, 'failure')
    }
  }

  /** The client went first: it was asked for, and nobody was told how it ended. */
  unanswered(tap: ConnectionTap, type: number, body: Uint8Array): void {
    const request = { type, body, err: -1, reply: new Uint8Array(0) }
    try {
      const change = type === OpCode.multi ? { operation: operationOf(type) } : changeOf(request)
      this.#write(tap, change, 'invoked')
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
    }
  }

  /** An entry goes into the log: which nodes a session takes along stands in it (S9). */
  onEntry(entry: Uint8Array): void {
    if (entry.length < TXN_TYPE_AT + 4) return
    const type = new DataView(entry.buffer, entry.byteOffset).getInt32(TXN_TYPE_AT)
    if (type !== OpCode.closeSession || this.#closing.size >= CLOSING_MAX) return
    const { header, txn } = decodeTxn(entry)
    if (txn.kind !== 'closeSession' || (txn.paths ?? []).length === 0) return
    this.#closing.set(formatSessionId(header.clientId), txn.paths ?? [])
  }

  onTrace(event: TraceEvent): void {
    if (event.type !== 'session-closed') return
    const { session } = event
    for (const znode of this.#closing.get(session) ?? []) {
      this.#options.write({
        session,
        user: this.#user,
        operation: 'ephemeralZNodeDeletionOnSessionCloseOrExpire',
        znode,
        result: 'success',
      })
    }
    this.#closing.delete(session)
  }

  server(operation: 'serverStart' | 'serverStop', result: AuditResult): void {
    this.#options.write({ user: this.#user, operation, result })
  }

  /** Of a failed multi nothing happened, so only the whole is told. */
  #multi(tap: ConnectionTap, { body, err, reply }: AnsweredRequest): void {
    const results = err === 0 ? decode(multiResponseRecord, reply, ALLOW_TRAILING) : []
    if (err !== 0 || results.some(({ type }) => type === OpCode.error)) {
      this.#write(tap, { operation: operationOf(OpCode.multi) }, 'failure')
      return
    }
    const ops = decode(multiRequestRecord, body, ALLOW_TRAILING)
    ops.forEach((op, index) => {
      const result = results[index]
      const path = result !== undefined && 'path' in result ? result.path : null
      const change = changeOfOp(op, path)
      if (change !== null) this.#write(tap, change, 'success')
    })
  }

  #write(tap: ConnectionTap, change: Change, result: AuditResult): void {
    const users = usersOf(this.#options.idsOf(toSessionId(tap.session)))
    this.#options.write({
      session: formatSessionId(tap.session),
      user: users === '' ? tap.address : users,
      ip: tap.address,
      ...change,
      result,
    })
  }
}

/** ZooKeeper's line: tab-separated key=value. */
export function auditLine(entry: AuditEntry): string {
  const { session, user, ip, operation, znode, znode_type, acl, result } = entry
  const fields = { session, user, ip, operation, znode, znode_type, acl, result }
  return Object.entries(fields)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    .join('\t')
}

function changeOf({ type, body, err, reply }: AnsweredRequest): Change {
  const operation = operationOf(type)
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const record = type === OpCode.createTTL ? createTTLRequestRecord : createRequestRecord
      const { path, flags } = decode(record, body, ALLOW_TRAILING)
      const made = err === 0 ? decode(createResponseRecord, reply, ALLOW_TRAILING).path : path
      return { operation, znode: made, ...typeOf(flags) }
    }
    case OpCode.delete:
      return { operation, znode: decode(deleteRequestRecord, body, ALLOW_TRAILING).path }
    case OpCode.setData:
      return { operation, znode: decode(setDataRequestRecord, body, ALLOW_TRAILING).path }
    case OpCode.setACL: {
      const { path, acl } = decode(setACLRequestRecord, body, ALLOW_TRAILING)
      return { operation, znode: path, acl: aclText(acl ?? []) }
    }
    default:
      return { operation }
  }
}

/** Null for a check, which changes nothing, and for setACL, which no multi has. */
function changeOfOp(op: MultiOp, made: string | null): Change | null {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const { path, flags } = op.request
      return { operation: 'create', znode: made ?? path, ...typeOf(flags) }
    }
    case OpCode.delete:
      return { operation: 'delete', znode: op.request.path }
    case OpCode.setData:
      return { operation: 'setData', znode: op.request.path }
    default:
      return null
  }
}

function operationOf(type: number): string {
  switch (type) {
    case OpCode.delete:
      return 'delete'
    case OpCode.setData:
      return 'setData'
    case OpCode.setACL:
      return 'setAcl'
    case OpCode.multi:
      return 'multiOperation'
    case OpCode.reconfig:
      return 'reconfig'
    default:
      return 'create'
  }
}

function typeOf(flags: number): Pick<Change, 'znode_type'> {
  const mode = createModeFromFlag(flags)
  return mode === undefined ? {} : { znode_type: mode.name.toLowerCase() }
}

/** Names of persons first; an address stands for nobody in particular. */
function usersOf(ids: readonly Id[]): string {
  const [named, addresses] = [
    ids.filter(({ scheme }) => scheme !== 'ip'),
    ids.filter(({ scheme }) => scheme === 'ip'),
  ]
  return [...named, ...addresses].map((id) => userOf(id)).join(',')
}

function aclText(acl: readonly Acl[]): string {
  return acl.map(({ id, perms }) => `${id.scheme}:${id.id}:${permsToLetters(perms)}`).join('')
}
