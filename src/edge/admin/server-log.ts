/** What happens in a server, as lines of its log (O36, W63). */
import { opName } from '../../core/jute/op-code.ts'
import type { TraceEvent } from '../../core/zab/effect.ts'
import { formatSessionId, formatZxid } from '../../core/base/zxid.ts'
import type { ConnectionTap } from './connection-tap.ts'
import type { Log, LogFields } from './log.ts'

/** A snapshot of at least so many bytes is a warning. Ours: loading it takes many seconds. */
const LARGE_SNAPSHOT_BYTES = 1024 * 1024 * 1024
/** One line of a kind that comes with the load in so many ms; the others are counted. Ours. */
const REPEAT_INTERVAL_MS = 1_000

export class ServerLog {
  readonly #log: Log
  readonly #elapsedMs: () => number
  readonly #repeats = new Map<string, { atMs: number; suppressed: number }>()

  constructor(log: Log, elapsedMs: () => number) {
    this.#log = log
    this.#elapsedMs = elapsedMs
  }

  /** Every end of a connection has a reason (W63); an orderly one is no news. */
  closed(tap: ConnectionTap, reason: string, detail: string | null): void {
    const fields = { ...clientFields(tap), reason, ...(detail === null ? {} : { detail }) }
    this.#log.info('client-disconnected', fields)
  }

  refused(address: string, reason: string): void {
    this.#sometimes('client-refused', { address, reason })
  }

  dropped(address: string, reason: string): void {
    this.#sometimes('client-dropped', { address, reason })
  }

  large(tap: ConnectionTap, type: number, bytes: number): void {
    this.#sometimes('large-request', { ...clientFields(tap), operation: opName(type), bytes })
  }

  slow(tap: ConnectionTap, type: number, tookMs: number): void {
    const fields = { ...clientFields(tap), operation: opName(type), tookMs: Math.round(tookMs) }
    this.#sometimes('slow-request', fields)
  }

  slowSync(tookMs: number, entries: number): void {
    this.#sometimes('slow-sync', { tookMs: Math.round(tookMs), entries })
  }

  snapshot(zxid: bigint, bytes: number, tookMs: number): void {
    const fields = { zxid: formatZxid(zxid), bytes, tookMs: Math.round(tookMs) }
    if (bytes >= LARGE_SNAPSHOT_BYTES) this.#log.warn('large-snapshot', fields)
    else this.#log.info('snapshot', fields)
  }

  trace(event: TraceEvent): void {
    const { type, ...fields } = event
    switch (type) {
      case 'diverged':
      case 'quota-exceeded':
      case 'protocol-error':
      case 'slept':
        this.#log.warn(type, plain(fields))
        break
      case 'role':
      case 'established':
      case 'sync':
      case 'link':
      case 'healed':
      case 'replaced':
      case 'session-expired':
      case 'observer-refused':
        this.#log.info(type, plain(fields))
        break
      default:
        this.#log.debug(type, plain(fields))
    }
  }

  #sometimes(event: string, fields: LogFields): void {
    const nowMs = this.#elapsedMs()
    const before = this.#repeats.get(event)
    if (before !== undefined && nowMs - before.atMs < REPEAT_INTERVAL_MS) {
      before.suppressed++
      return
    }
    this.#repeats.set(event, { atMs: nowMs, suppressed: 0 })
    const suppressed = before?.suppressed ?? 0
    this.#log.warn(event, suppressed === 0 ? fields : { ...fields, suppressed })
  }
}

function clientFields({ address, port, session }: ConnectionTap): LogFields {
  return { address, port, session: session === 0n ? null : formatSessionId(session) }
}

function plain(fields: Readonly<Record<string, unknown>>): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : JSON.stringify(value ?? null),
    ]),
  )
}
