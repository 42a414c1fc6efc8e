/** What the page's part of the kit tells the test, and what the test tells it. Types only. */
import type { ClientStatus } from '../../browser/client-tab.ts'
import type { RoomStatus } from '../../browser/room-options.ts'
import type { TraceEvent } from '../../core/zab/effect.ts'

/** `at`: when it happened in the worker, ms since 1970. */
export type Trace = TraceEvent & { readonly at: number }

export type PageNews =
  /** A new life of the page: nothing of the one before goes on. */
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'status'
      readonly status: RoomStatus | ClientStatus
      readonly link: string
      /** '' for a client. */
      readonly identity: string
    }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'trace'; readonly trace: Trace }
  | FrameNews

/** Of one handle's connection, byte for byte; `client` counts the handles of this life. */
export type FrameNews =
  | { readonly kind: 'opened'; readonly client: number; readonly server: number }
  | ({ readonly kind: 'sent' | 'received'; readonly client: number; readonly atMs: number } & {
      readonly base64: string
    })
  | {
      readonly kind: 'closed'
      readonly client: number
      readonly atMs: number
      readonly reason: string
    }

export interface ClientRequest {
  readonly key: string
  readonly method: 'create' | 'delete' | 'exists' | 'getData' | 'setData' | 'getChildren' | 'sync'
  readonly args: readonly unknown[]
}

export type ClientAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'error'
      readonly code: number
      readonly path: string | null
      readonly outcomeUnknown: boolean
    }

/** Baked into the page's script. */
export interface PageSettings {
  /** Workers of members are made of this instead: a path of the page's own origin. */
  readonly workerPath: string | null
  /** How the kit knows such a worker: by this name, or by an address that matches. */
  readonly workerPattern: string
  readonly signaling: string | null
  readonly seed: string
}

/** The functions that the test puts into each page. */
export const TELL = '__zabraTell'
export const ASK_FAULTS = '__zabraAskFaults'

/** Where the page's part is found. */
export const KIT_NAME = 'zabra.kit'
