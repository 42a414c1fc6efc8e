/** One call of a client, and what came of it. */
import type { Stat } from '../core/jute/data-records.ts'
import type { MultiOp, MultiResult } from '../core/jute/multi.ts'

export type Call =
  | {
      readonly kind: 'create'
      readonly path: string
      readonly data: Uint8Array
      /** CreateMode flags. */
      readonly flags: number
    }
  | {
      readonly kind: 'set'
      readonly path: string
      readonly data: Uint8Array
      readonly version: number
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number }
  | {
      readonly kind: 'get' | 'exists' | 'children'
      readonly path: string
      readonly watch: boolean
    }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'multi'; readonly ops: readonly MultiOp[] }
  | { readonly kind: 'close' }
  /** What judges know by its place in the log only. */
  | {
      readonly kind: 'other'
      readonly name: string
      readonly isWrite: boolean
      readonly path?: string
      /** It sets a watch that stays, or takes watches of the path away. */
      readonly watches?: 'stay' | 'go'
    }

export interface Op {
  readonly client: number
  readonly session: bigint
  readonly xid: number
  readonly call: Call
  readonly invokedAtMs: number
  /** Newest write that anybody had been told of when this began: real-time order. */
  readonly ackedFloor: bigint
}

/** A session as one client has it: who takes it over counts and sees anew. */
export function sessionOf({ session, client }: Pick<Op, 'session' | 'client'>): string {
  return `${session}/${client}`
}

export interface Outcome {
  readonly atMs: number
  /** zxid of the reply's header. */
  readonly zxid: bigint
  readonly err: number
  /** The sid of the server that answered. */
  readonly server: number
  /** By a server that found no leader: it may be undone later, and nothing was changed (S37). */
  readonly isReadOnly?: true
  readonly path?: string
  readonly stat?: Stat
  readonly data?: Uint8Array | null
  readonly children?: readonly string[]
  readonly results?: readonly MultiResult[]
}

export function isWrite(call: Call): boolean {
  if (call.kind === 'other') return call.isWrite
  return ['create', 'set', 'delete', 'multi', 'close'].includes(call.kind)
}

export function describeCall(call: Call): string {
  switch (call.kind) {
    case 'create':
      return `create ${call.path} flags ${call.flags}`
    case 'set':
    case 'delete':
      return `${call.kind} ${call.path} version ${call.version}`
    case 'get':
    case 'exists':
    case 'children':
      return `${call.kind} ${call.path}${call.watch ? ' watch' : ''}`
    case 'sync':
      return `sync ${call.path}`
    case 'multi':
      return `multi of ${call.ops.length}`
    case 'close':
      return 'close'
    case 'other':
      return call.path === undefined ? call.name : `${call.name} ${call.path}`
  }
}
