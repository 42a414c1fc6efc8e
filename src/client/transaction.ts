/** multi: several writes that happen together or not at all (D36–D39). */

import { encodeUtf8 } from '../core/base/utf8.ts'
import { znodePathProblem } from '../core/base/znode-path.ts'
import { CreateMode } from '../core/jute/create-mode.ts'
import type { Acl, Stat } from '../core/jute/data-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import type { MultiOp, MultiResult } from '../core/jute/multi.ts'
import { OpCode } from '../core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../core/jute/perms.ts'
import type { CallOptions } from './call.ts'
import type { Chroot } from './chroot.ts'
import { InvalidPathError, ZooKeeperError } from './errors.ts'

/** A string is sent as UTF-8. null and empty are stored as different values (D46). */
export type ZnodeData = Uint8Array | string | null

export interface CreateOptions extends CallOptions {
  readonly mode?: CreateMode
  readonly acl?: readonly Acl[]
  /** For the modes with TTL, in ms. */
  readonly ttlMs?: number
}

/** One operation of a multi, with the caller's paths. */
export type Op =
  | {
      readonly kind: 'create'
      readonly path: string
      readonly data?: ZnodeData
      readonly mode?: CreateMode
      readonly acl?: readonly Acl[]
      readonly ttlMs?: number
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version?: number }
  | {
      readonly kind: 'setData'
      readonly path: string
      readonly data: ZnodeData
      readonly version?: number
    }
  | { readonly kind: 'check'; readonly path: string; readonly version?: number }

/** `stat` of a create is known for containers and nodes with TTL only (W48). */
export type OpResult =
  | { readonly kind: 'create'; readonly path: string; readonly stat: Stat | null }
  | { readonly kind: 'delete' }
  | { readonly kind: 'setData'; readonly stat: Stat }
  | { readonly kind: 'check' }

/** What became of each operation of a failed multi: 0 before the failing one, −2 after (W49). */
export class MultiError extends ZooKeeperError {
  readonly results: readonly number[]
  /** Of the operation that failed. */
  readonly index: number

  constructor(code: number, path: string | null, results: readonly number[], index: number) {
    super(code, { path })
    this.results = results
    this.index = index
  }
}

export function toData(data: ZnodeData | undefined): Uint8Array | null {
  if (typeof data === 'string') return encodeUtf8(data)
  return data ?? null
}

/** Throws InvalidPathError. A sequential name is complete only with its suffix (D15). */
export function checkPath(path: string, isSequential = false): void {
  const problem = znodePathProblem(isSequential ? `${path}1` : path)
  if (problem !== null) throw new InvalidPathError(path, problem)
}

export function toMultiOp(op: Op, chroot: Chroot): MultiOp {
  const isSequential = op.kind === 'create' && op.mode?.isSequential === true
  checkPath(op.path, isSequential)
  const path = chroot.toServer(op.path)
  switch (op.kind) {
    case 'create': {
      const { mode = CreateMode.PERSISTENT, acl = OPEN_ACL_UNSAFE } = op
      const request = { path, data: toData(op.data), acl, flags: mode.flag }
      if (mode.isTTL) {
        return { type: OpCode.createTTL, request: { ...request, ttl: BigInt(op.ttlMs ?? 0) } }
      }
      return { type: mode.isContainer ? OpCode.createContainer : OpCode.create, request }
    }
    case 'delete':
      return { type: OpCode.delete, request: { path, version: op.version ?? -1 } }
    case 'setData':
      return {
        type: OpCode.setData,
        request: { path, data: toData(op.data), version: op.version ?? -1 },
      }
    case 'check':
      return { type: OpCode.check, request: { path, version: op.version ?? -1 } }
  }
}

/** Throws MultiError for the first operation that failed. */
export function toOpResults(
  ops: readonly Op[],
  results: readonly MultiResult[],
  chroot: Chroot,
): OpResult[] {
  const codes = results.map((result) => (result.type === OpCode.error ? result.err : 0))
  const failed = codes.findIndex((code) => code !== ErrorCode.OK)
  const failedCode = codes[failed]
  if (failedCode !== undefined) {
    throw new MultiError(failedCode, ops[failed]?.path ?? null, codes, failed)
  }
  return results.map((result) => toOpResult(result, chroot))
}

function toOpResult(result: MultiResult, chroot: Chroot): OpResult {
  switch (result.type) {
    case OpCode.create:
      return { kind: 'create', path: chroot.toClient(result.path), stat: null }
    case OpCode.create2:
      return { kind: 'create', path: chroot.toClient(result.path), stat: result.stat }
    case OpCode.setData:
      return { kind: 'setData', stat: result.stat }
    case OpCode.delete:
      return { kind: 'delete' }
    case OpCode.check:
      return { kind: 'check' }
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.error:
      throw new ZooKeeperError(ErrorCode.MARSHALLINGERROR)
  }
}

/** Collects operations; nothing is sent before `commit`. */
export class Transaction {
  readonly #ops: Op[] = []
  readonly #commit: (ops: readonly Op[], options: CallOptions) => Promise<OpResult[]>

  constructor(commit: (ops: readonly Op[], options: CallOptions) => Promise<OpResult[]>) {
    this.#commit = commit
  }

  create(
    path: string,
    data: ZnodeData = null,
    options: Omit<CreateOptions, keyof CallOptions> = {},
  ): this {
    this.#ops.push({ kind: 'create', path, data, ...options })
    return this
  }

  delete(path: string, version = -1): this {
    this.#ops.push({ kind: 'delete', path, version })
    return this
  }

  setData(path: string, data: ZnodeData, version = -1): this {
    this.#ops.push({ kind: 'setData', path, data, version })
    return this
  }

  check(path: string, version = -1): this {
    this.#ops.push({ kind: 'check', path, version })
    return this
  }

  /** Rejects with MultiError when one of them failed; then none happened. */
  commit(options: CallOptions = {}): Promise<OpResult[]> {
    return this.#commit(this.#ops, options)
  }
}
