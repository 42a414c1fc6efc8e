/**
 * A history as it was written down: what clients asked and were told, and afterwards the committed
 * log as a member has it. Plain values; `recordingToText` makes one text of it, which a file, a
 * test report or another process can keep.
 */
import type { Call, Outcome } from './operation.ts'
import type { SentWatches } from './history-events.ts'
import type { RecordedTree } from './recorded-tree.ts'

/** Of one client handle, in the order in which it happened there. */
export type ClientEvent =
  | {
      readonly kind: 'call'
      readonly session: bigint
      readonly xid: number
      readonly call: Call
    }
  | {
      readonly kind: 'answer'
      readonly session: bigint
      readonly xid: number
      readonly outcome: Outcome
    }
  /** The connection went while this call waited: it may have happened or not. */
  | { readonly kind: 'lost'; readonly session: bigint; readonly xid: number }
  | {
      readonly kind: 'connected'
      readonly session: bigint
      /** sid of the member, 0 where it is not known. */
      readonly server: number
      readonly isNew: boolean
    }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'expired'; readonly session: bigint }
  | {
      readonly kind: 'event'
      readonly session: bigint
      readonly zxid: bigint
      readonly type: number
      readonly path: string
    }
  | { readonly kind: 'watches-set'; readonly zxid: bigint; readonly sent: SentWatches }

export type RecordedEvent = ClientEvent & { readonly client: number; readonly atMs: number }

/** A member's role from then on. */
export interface RecordedRole {
  readonly atMs: number
  readonly sid: number
  readonly role: 'looking' | 'following' | 'leading' | 'observing' | 'down'
  /** Of the leader that it follows or is. */
  readonly epoch?: number
}

export interface RecordedFault {
  readonly atMs: number
  readonly untilMs?: number
  /** In words. */
  readonly what: string
  /** Whom it hurt. */
  readonly sids: readonly number[]
}

/** How a member stood at the end. */
export interface RecordedMember {
  readonly sid: number
  readonly zxid: bigint
  /** Of its tree; null where it keeps none. */
  readonly digest: bigint | null
}

export interface Recording {
  readonly format: typeof RECORDING_FORMAT
  readonly title: string
  /** How far the clocks of any two clients may be apart, in ms; 0 on one clock. */
  readonly clockUncertaintyMs: number
  /** Sorted by client and time, or in any order that keeps each client's own. */
  readonly events: readonly RecordedEvent[]
  /**
   * Entries as logged (TxnHeader, record, digest), from the first of the ensemble to the last,
   * read after everything came to rest. null: not at hand, and only what clients saw is judged.
   */
  readonly log: readonly Uint8Array[] | null
  /**
   * Where this is a part of a longer history, what was there before it: `log` goes on from there.
   * No session of the clients in `events` may be older.
   */
  readonly before?: RecordedTree
  readonly roles: readonly RecordedRole[]
  readonly faults: readonly RecordedFault[]
  readonly members: readonly RecordedMember[]
}

export const RECORDING_FORMAT = 'zabra-history-1'

/** JSON; what JSON has no word for is `{"$bigint": "17"}` or `{"$bytes": "00ff"}`. */
export function recordingToText(recording: Recording): string {
  return JSON.stringify(recording, (_key, value: unknown) => {
    if (typeof value === 'bigint') return { $bigint: value.toString() }
    if (value instanceof Uint8Array) return { $bytes: toHex(value) }
    return value
  })
}

/** Throws where the text is no recording of this format. */
export function recordingFromText(text: string): Recording {
  const recording = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    if ('$bigint' in value) return BigInt(String(value.$bigint))
    if ('$bytes' in value) return fromHex(String(value.$bytes))
    return value
  }) as Recording
  const format: string = recording.format
  if (format !== RECORDING_FORMAT) throw new Error(`not a ${RECORDING_FORMAT}`)
  return recording
}

function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2)
  for (const i of bytes.keys()) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
