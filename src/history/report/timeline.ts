/** What a report draws: lanes of marks on one time axis, each mark with words of its own. */
import { decodeUtf8 } from '../../core/base/utf8.ts'
import { errorMessage } from '../../core/jute/error-code.ts'
import { eventTypeName } from '../../core/jute/event-type.ts'
import type { Violation } from '../history-events.ts'
import { describeCall, isWrite, type Call, type Outcome } from '../operation.ts'
import type { RecordedEvent, Recording } from '../recording.ts'
import { hex } from '../rule.ts'
import { shortened } from './html.ts'

export type MarkKind =
  | 'fault'
  | 'looking'
  | 'following'
  | 'leading'
  | 'observing'
  | 'down'
  | 'read'
  | 'write'
  | 'refused'
  | 'unknown'
  | 'event'
  | 'connection'

export interface Mark {
  readonly kind: MarkKind
  readonly fromMs: number
  readonly toMs: number
  /** Row of its lane. */
  readonly row: number
  /** Written on it where it fits. */
  readonly label: string
  readonly words: string
}

export interface Lane {
  readonly name: string
  readonly rows: number
  readonly marks: readonly Mark[]
}

export interface TimelineModel {
  readonly fromMs: number
  readonly toMs: number
  readonly lanes: readonly Lane[]
  /** Marks that did not fit: the report shows the end of a long history. */
  readonly left: number
}

/** Beyond it a page gets slow; what lies nearest to the first violation is kept. */
const MARKS_MAX = 6000
/** Calls under way at once that are drawn beside each other. */
const ROWS_MAX = 6
const DATA_CHARS = 60

export function timelineOf(recording: Recording, violations: readonly Violation[]): TimelineModel {
  const lanes = [faultLane(recording), ...memberLanes(recording), ...clientLanes(recording)]
  const all = lanes.flatMap(({ marks }) => marks)
  // Without a violation the end is what counts.
  const aboutMs = violations[0]?.atMs ?? endOf(recording)
  const near = all
    .map((mark) => ({ mark, distanceMs: distance(mark, aboutMs) }))
    .sort((a, b) => a.distanceMs - b.distanceMs)
    .slice(0, MARKS_MAX)
  const kept = new Set(near.map(({ mark }) => mark))
  const reachMs = kept.size < all.length ? (near.at(-1)?.distanceMs ?? 0) : Infinity
  const points = [aboutMs, ...near.flatMap(({ mark }) => [mark.fromMs, mark.toMs])]
  const fromMs = points.reduce((a, b) => Math.min(a, b), aboutMs)
  const toMs = points.reduce((a, b) => Math.max(a, b), fromMs + 1)
  const span = {
    fromMs: Math.max(fromMs, aboutMs - reachMs),
    toMs: Math.min(toMs, aboutMs + reachMs),
  }
  const shown = lanes.map((lane) => {
    const marks = lane.marks.filter((mark) => kept.has(mark)).map((mark) => clipped(mark, span))
    return { ...lane, marks }
  })
  return {
    ...span,
    lanes: shown.filter(({ marks }) => marks.length > 0),
    left: all.length - kept.size,
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** 0: it was going on then. */
function distance({ fromMs, toMs }: Span, atMs: number): number {
  return Math.max(0, fromMs - atMs, atMs - toMs)
}

/** Who led for an hour shall not make the hour's last second a line. */
function clipped(mark: Mark, span: Span): Mark {
  const { fromMs, toMs } = mark
  if (fromMs >= span.fromMs && toMs <= span.toMs) return mark
  return { ...mark, fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) }
}

function endOf({ events, roles, faults }: Recording): number {
  return [...events, ...roles, ...faults].reduce((end, { atMs }) => Math.max(end, atMs), 0)
}

function faultLane({ faults }: Recording): Lane {
  const rows = new Rows()
  const marks = faults.map(({ atMs, untilMs, what, sids }): Mark => {
    const whom = sids.length === 0 ? '' : ` (member ${sids.join(', ')})`
    const toMs = untilMs ?? atMs
    const words = `${what}${whom}, ${spanWords(atMs, toMs)}`
    return { kind: 'fault', fromMs: atMs, toMs, row: rows.take(atMs, toMs), label: what, words }
  })
  return { name: 'Faults', rows: rows.count, marks }
}

function memberLanes(recording: Recording): Lane[] {
  const { roles } = recording
  const endMs = endOf(recording)
  const sids = [...new Set(roles.map(({ sid }) => sid))].sort((a, b) => a - b)
  return sids.map((sid) => {
    const own = roles.filter((role) => role.sid === sid).toSorted((a, b) => a.atMs - b.atMs)
    const marks = own.map(({ role, epoch, atMs }, i): Mark => {
      const toMs = own[i + 1]?.atMs ?? endMs
      const label = epoch === undefined ? role : `${role}, epoch ${epoch}`
      const words = `Member ${sid}: ${label}, ${spanWords(atMs, toMs)}`
      return { kind: role, fromMs: atMs, toMs, row: 0, label, words }
    })
    return { name: `Member ${sid}`, rows: 1, marks }
  })
}

function clientLanes(recording: Recording): Lane[] {
  const endMs = endOf(recording)
  const byClient = new Map<number, RecordedEvent[]>()
  for (const event of recording.events) {
    const own = byClient.get(event.client)
    if (own === undefined) byClient.set(event.client, [event])
    else own.push(event)
  }
  return [...byClient]
    .sort(([a], [b]) => a - b)
    .map(([client, events]) => clientLane(client, events, endMs))
}

interface Begun {
  readonly call: Call
  readonly atMs: number
}

function clientLane(client: number, events: readonly RecordedEvent[], endMs: number): Lane {
  const waiting = new Map<string, Begun>()
  const rows = new Rows()
  const marks: Mark[] = []
  for (const event of events) {
    const { atMs } = event
    if (event.kind === 'call') {
      waiting.set(`${event.session}/${event.xid}`, { call: event.call, atMs })
    } else if (event.kind === 'answer' || event.kind === 'lost') {
      const key = `${event.session}/${event.xid}`
      const begun = waiting.get(key)
      waiting.delete(key)
      if (begun === undefined) continue
      const outcome = event.kind === 'answer' ? event.outcome : null
      const who = `Client ${client}, session ${hex(event.session)}, xid ${event.xid}`
      const row = rows.take(begun.atMs, atMs)
      marks.push(callMark(who, begun, atMs, outcome, row))
    } else marks.push(otherMark(event))
  }
  for (const begun of waiting.values()) {
    const row = rows.take(begun.atMs, endMs)
    marks.push(callMark(`Client ${client}`, begun, endMs, null, row))
  }
  return { name: `Client ${client}`, rows: rows.count, marks }
}

function callMark(
  who: string,
  { call, atMs }: Begun,
  toMs: number,
  outcome: Outcome | null,
  row: number,
): Mark {
  const base = { fromMs: atMs, toMs, row, label: describeCall(call) }
  const asked = `${who}: ${describeCall(call)}${dataWords(call)}`
  const when = spanWords(atMs, toMs)
  if (outcome === null) {
    return { ...base, kind: 'unknown', words: `${asked} was not answered, ${when}` }
  }
  const { err, zxid, server } = outcome
  const by = server === 0 ? '' : ` by member ${server}`
  const came = err === 0 ? `OK${resultWords(outcome)}` : errorMessage(err)
  const words = `${asked} = ${came} at ${hex(zxid)}${by}, ${when}`
  const kind = err !== 0 ? 'refused' : isWrite(call) ? 'write' : 'read'
  return { ...base, kind, words }
}

function otherMark(event: Exclude<RecordedEvent, { kind: 'call' | 'answer' | 'lost' }>): Mark {
  const { atMs, client } = event
  const base = { fromMs: atMs, toMs: atMs, row: 0, label: '' }
  const words = `Client ${client}: ${wordsOf(event)}, at ${atMs.toFixed(1)} ms`
  return { ...base, kind: event.kind === 'event' ? 'event' : 'connection', words }
}

function wordsOf(event: Exclude<RecordedEvent, { kind: 'call' | 'answer' | 'lost' }>): string {
  switch (event.kind) {
    case 'event': {
      const { type, path, zxid } = event
      return `event ${eventTypeName(type)} of ${path} at ${hex(zxid)}`
    }
    case 'connected': {
      const where = event.server === 0 ? '' : ` to member ${event.server}`
      return `connected${where}, ${event.isNew ? 'new ' : ''}session ${hex(event.session)}`
    }
    case 'disconnected':
      return `disconnected: ${event.reason}`
    case 'expired':
      return `session ${hex(event.session)} is expired`
    case 'watches-set':
      return `watches set again at ${hex(event.zxid)}`
  }
}

function dataWords(call: Call): string {
  if (call.kind !== 'create' && call.kind !== 'set') return ''
  return ` ${textOf(call.data)}`
}

function resultWords({ path, data, children, stat }: Outcome): string {
  const version = stat === undefined ? '' : ` version ${stat.version}`
  if (data !== undefined && data !== null) return ` ${textOf(data)}${version}`
  if (children !== undefined) return ` ${shortened(children.join(' '), DATA_CHARS)}${version}`
  return path === undefined ? version : ` ${path}${version}`
}

function textOf(bytes: Uint8Array): string {
  const text = shortened(decodeUtf8(bytes.subarray(0, 2 * DATA_CHARS)), DATA_CHARS)
  return `“${text}”`
}

function spanWords(fromMs: number, toMs: number): string {
  if (toMs <= fromMs) return `at ${fromMs.toFixed(1)} ms`
  return `${fromMs.toFixed(1)} to ${toMs.toFixed(1)} ms (${(toMs - fromMs).toFixed(1)} ms)`
}

/** Lays marks beside each other that would cover each other. */
class Rows {
  readonly #freeAtMs: number[] = []

  get count(): number {
    return Math.max(1, this.#freeAtMs.length)
  }

  take(fromMs: number, toMs: number): number {
    const free = this.#freeAtMs.findIndex((atMs) => atMs <= fromMs)
    const isFull = this.#freeAtMs.length >= ROWS_MAX
    const row = free >= 0 ? free : isFull ? ROWS_MAX - 1 : this.#freeAtMs.length
    this.#freeAtMs[row] = toMs
    return row
  }
}
