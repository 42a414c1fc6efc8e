/**
 * A history as one page that needs nothing else: what was broken, and operations, leaders and
 * faults on one timeline. All texts are escaped, and the page may run its own script only.
 */
import { sha256 } from '../../core/base/sha256.ts'
import { encodeUtf8 } from '../../core/base/utf8.ts'
import type { Violation } from '../history-events.ts'
import type { Recording } from '../recording.ts'
import { fromZero } from './from-zero.ts'
import { element, escaped } from './html.ts'
import { SCRIPT, STYLE } from './look.ts'
import { timelineOf, type Mark, type MarkKind, type TimelineModel } from './timeline.ts'
import { timelineSvg } from './timeline-svg.ts'

export interface ReportOptions {
  readonly violations: readonly Violation[]
  /** What else was wrong, that no judge of histories knows of: as of the test itself. */
  readonly failed?: string
  /** What else to say of the run, by name: seed, what was drawn, command to run it again. */
  readonly facts?: Readonly<Record<string, string>>
  /** What members and clients did, in words, a line each. */
  readonly transcript?: readonly string[]
}

/** Marks before the first violation that are told in words. */
const LAST_MARKS = 60

export function historyReport(recorded: Recording, options: ReportOptions): string {
  const { facts = {}, transcript = [], failed } = options
  const { recording, violations, begunMs } = fromZero(recorded, options.violations)
  const { title } = recording
  const begun = begunMs === null ? {} : { '0 s is': new Date(begunMs).toISOString() }
  const model = timelineOf(recording, violations)
  const body = [
    element('h1', {}, escaped(title)),
    verdictPart(violations, failed),
    factsPart(recording, { ...facts, ...begun }),
    timelinePart(model, violations),
    legendPart(),
    wordsPart(model, violations),
    transcriptPart(transcript),
  ].join('\n')
  return page(title, body)
}

function page(title: string, body: string): string {
  const scriptHash = base64(sha256(encodeUtf8(SCRIPT)))
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'`
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    element('title', {}, escaped(title)),
    `<style>${STYLE}</style>`,
    '</head>',
    `<body><main>${body}</main>`,
    `<script>${SCRIPT}</script>`,
    '</body></html>',
    '',
  ].join('\n')
}

function verdictPart(violations: readonly Violation[], failed: string | undefined): string {
  if (violations.length === 0 && failed === undefined) return '<p>Every rule was kept.</p>'
  const said = element('p', { class: 'broken said' }, escaped(failed ?? ''))
  const items = violations.map(({ checker, what, atMs }) => {
    const rule = element('span', { class: 'bad' }, escaped(checker))
    return element('p', { class: 'broken' }, `${rule} at ${atMs.toFixed(1)} ms: ${escaped(what)}`)
  })
  return [...(failed === undefined ? [] : [said]), ...items].join('\n')
}

function factsPart(recording: Recording, facts: Readonly<Record<string, string>>): string {
  const { events, faults, log } = recording
  const all: Record<string, string> = {
    ...facts,
    calls: String(events.filter(({ kind }) => kind === 'call').length),
    committed: log === null ? 'not recorded' : `${log.length} transactions`,
    faults: String(faults.length),
  }
  const items = Object.entries(all).map(([name, value]) => {
    return element('dt', {}, escaped(name)) + element('dd', {}, escaped(value))
  })
  return element('dl', {}, items.join(''))
}

function timelinePart(model: TimelineModel, violations: readonly Violation[]): string {
  const left =
    model.left === 0
      ? ''
      : `<p>${model.left} marks farther away are left out; the recording has them.</p>`
  const tools = [
    element('button', { id: 'farther', type: 'button', 'aria-label': 'Show more time' }, '−'),
    element('button', { id: 'closer', type: 'button', 'aria-label': 'Show less time' }, '+'),
    element('button', { id: 'whole', type: 'button' }, 'All'),
    '<span id="keys">Keys: ↑ ↓ for lanes, ← → for marks, + and − for the scale</span>',
  ].join('')
  const track = element('div', { class: 'track' }, timelineSvg(model, violations))
  return [
    '<h2>Timeline</h2>',
    left,
    element('div', { class: 'tools' }, tools),
    element('div', { class: 'scroll' }, track),
    '<p id="details" aria-live="polite">Point at a mark, or choose one by keys.</p>',
  ].join('\n')
}

const LEGEND: readonly (readonly [MarkKind, string])[] = [
  ['write', 'write'],
  ['read', 'read'],
  ['refused', 'refused'],
  ['unknown', 'not answered'],
  ['event', 'watch event'],
  ['connection', 'connection'],
  ['leading', 'leads'],
  ['following', 'follows'],
  ['observing', 'observes'],
  ['looking', 'looks for a leader'],
  ['down', 'down'],
  ['fault', 'fault'],
]

function legendPart(): string {
  const items = LEGEND.map(([kind, name]) => {
    const own = { class: `mark ${kind}` }
    const shape =
      kind === 'event'
        ? element('circle', { ...own, cx: 14, cy: 9, r: 4 })
        : kind === 'connection'
          ? element('line', { ...own, x1: 14, x2: 14, y1: 1, y2: 17 })
          : element('rect', { ...own, x: 2, y: 2, width: 24, height: 14 })
    return element('li', {}, element('svg', { 'aria-hidden': 'true' }, shape) + escaped(name))
  })
  return element('ul', { class: 'legend' }, items.join(''))
}

/** The same for who reads instead of looking. */
function wordsPart({ lanes }: TimelineModel, violations: readonly Violation[]): string {
  const untilMs = violations[0]?.atMs ?? Number.POSITIVE_INFINITY
  const marks = lanes
    .flatMap((lane): readonly Mark[] => lane.marks)
    .filter(({ fromMs }) => fromMs <= untilMs)
    .sort((a, b) => a.fromMs - b.fromMs)
    .slice(-LAST_MARKS)
  const items = marks.map(({ words }) => element('li', {}, escaped(words)))
  const heading = violations.length > 0 ? 'What came before the first of them' : 'At the end'
  return `<h2>${heading}</h2>${element('ol', { class: 'last' }, items.join('\n'))}`
}

function transcriptPart(lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const text = element('pre', { tabindex: 0 }, escaped(lines.join('\n')))
  return `<details><summary>Transcript, ${lines.length} lines</summary>${text}</details>`
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3)
    const group = (a << 16) | (b << 8) | c
    const digits = [18, 12, 6, 0].map((shift) => DIGITS[(group >> shift) & 63] ?? '')
    const used = Math.min(3, bytes.length - i) + 1
    text += digits.slice(0, used).join('').padEnd(4, '=')
  }
  return text
}
