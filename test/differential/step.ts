/** One step of a script: what one client asks of a server, as plain data to be printed. */
import type { Acl } from '../../src/core/jute/data-records.ts'

export interface CreateArguments {
  readonly path: string
  readonly data: string | null
  readonly acl: readonly Acl[]
  readonly flags: number
}

export type MultiPart =
  | ({ readonly op: 'create' | 'create2' | 'createContainer' } & CreateArguments)
  | ({ readonly op: 'createTTL'; readonly ttl: number } & CreateArguments)
  | { readonly op: 'delete' | 'check'; readonly path: string; readonly version: number }
  | {
      readonly op: 'setData'
      readonly path: string
      readonly data: string | null
      readonly version: number
    }

export type Request =
  | MultiPart
  | {
      readonly op: 'exists' | 'getData' | 'getChildren' | 'getChildren2'
      readonly path: string
      readonly watch: boolean
    }
  | { readonly op: 'getACL' | 'sync' | 'getAllChildrenNumber'; readonly path: string }
  | { readonly op: 'getEphemerals'; readonly path: string }
  | {
      readonly op: 'setACL'
      readonly path: string
      readonly acl: readonly Acl[]
      readonly version: number
    }
  | { readonly op: 'multi'; readonly parts: readonly MultiPart[] }
  | {
      readonly op: 'multiRead'
      readonly parts: readonly {
        readonly op: 'getData' | 'getChildren'
        readonly path: string
        readonly watch: boolean
      }[]
    }
  | { readonly op: 'addWatch'; readonly path: string; readonly mode: number }
  | {
      readonly op: 'checkWatches' | 'removeWatches'
      readonly path: string
      readonly type: number
    }
  | { readonly op: 'auth'; readonly scheme: string; readonly id: string }
  | { readonly op: 'whoAmI' | 'ping' | 'closeSession' }
  | {
      readonly op: 'reconfig'
      readonly joining: string | null
      readonly leaving: string | null
      readonly members: string | null
      readonly version: number
    }
  /** The bytes of a good request, some of them changed. */
  | { readonly op: 'broken'; readonly of: WholeRequest; readonly changes: readonly Change[] }
  /** An operation code with bytes that are no request of it. */
  | { readonly op: 'raw'; readonly type: number; readonly bytes: readonly number[] }
  /** The connection is lost and made anew for the same session; its watches are set again. */
  | ({ readonly op: 'reconnect' } & Rearming)
  /** A session of its own makes an ephemeral there, falls silent, and is waited for to expire. */
  | { readonly op: 'expire'; readonly path: string }

/** A request whose bytes may be spoilt. */
export type WholeRequest = Exclude<
  Request,
  { op: 'broken' | 'raw' | 'reconnect' | 'expire' | 'closeSession' | 'ping' | 'auth' }
>

/** `at`: modulo the length that there is. */
export type Change =
  | { readonly kind: 'bit'; readonly at: number; readonly bit: number }
  | { readonly kind: 'int'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'more'; readonly bytes: readonly number[] }

export interface Rearming {
  /** setWatches as clients before 3.6 send it: without persistent ones. */
  readonly isOld: boolean
  /** What the client says it saw last: nothing of this run, or all of it. */
  readonly since: 'begin' | 'now'
  readonly data: readonly string[]
  readonly exist: readonly string[]
  readonly child: readonly string[]
  readonly persistent: readonly string[]
  readonly recursive: readonly string[]
}

export interface Step {
  readonly client: number
  readonly request: Request
}
