/** The timeline as markup: one SVG per lane, as wide as its page lets it be. */
import type { Violation } from '../history-events.ts'
import { element, escaped } from './html.ts'
import type { Lane, Mark, MarkKind, TimelineModel } from './timeline.ts'

const ROW_PX = 16
const GAP_PX = 3
const AXIS_PX = 22
const TICKS = 10
/** Narrower calls, in % of the whole, have no room for their label. Of all else there are few. */
const LABEL_MIN_PERCENT = 3
const CALLS: ReadonlySet<MarkKind> = new Set<MarkKind>(['read', 'write', 'refused', 'unknown'])

export function timelineSvg(model: TimelineModel, violations: readonly Violation[]): string {
  const lanes = model.lanes.map((lane, index) => laneSvg(lane, index, model, violations))
  return [axisSvg(model), ...lanes].join('\n')
}

function percent(atMs: number, { fromMs, toMs }: TimelineModel): number {
  return (100 * (atMs - fromMs)) / (toMs - fromMs)
}

function written(share: number): string {
  return `${Math.min(100, Math.max(0, share)).toFixed(3)}%`
}

function axisSvg(model: TimelineModel): string {
  const { fromMs, toMs } = model
  const stepMs = niceStep((toMs - fromMs) / TICKS)
  const ticks: string[] = []
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs; atMs += stepMs) {
    const x = written(percent(atMs, model))
    const seconds = (atMs / 1000).toFixed(stepMs < 1000 ? 3 : 0)
    ticks.push(element('line', { x1: x, x2: x, y1: 14, y2: AXIS_PX }))
    ticks.push(element('text', { x, y: 11, dx: 2 }, escaped(`${seconds} s`)))
  }
  return element('svg', { class: 'axis', height: AXIS_PX, 'aria-hidden': 'true' }, ticks.join(''))
}

function niceStep(wantedMs: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(wantedMs, 1e-3)))
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= wantedMs) ?? 10 * power
}

function laneSvg(
  lane: Lane,
  index: number,
  model: TimelineModel,
  violations: readonly Violation[],
): string {
  const height = lane.rows * (ROW_PX + GAP_PX) + GAP_PX
  const marks = lane.marks
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map((mark) => markSvg(mark, model, lane))
  const shown = violations.filter(({ atMs }) => atMs >= model.fromMs && atMs <= model.toMs)
  const lines = shown.map(({ atMs }) => {
    const x = written(percent(atMs, model))
    return element('line', { class: 'violation', x1: x, x2: x, y1: 0, y2: '100%' })
  })
  const attributes = {
    class: 'lane',
    height,
    // One stop for all lanes; the arrow keys go from one to the other.
    tabindex: index === 0 ? 0 : -1,
    role: 'group',
    'aria-label': `${lane.name}: ${lane.marks.length} marks`,
    'aria-describedby': 'keys',
  }
  const name = element('h3', {}, escaped(lane.name))
  return `${name}${element('svg', attributes, [...lines, ...marks].join(''))}`
}

function markSvg(mark: Mark, model: TimelineModel, lane: Lane): string {
  const { kind, fromMs, toMs, row, label, words } = mark
  const x = percent(fromMs, model)
  const width = percent(toMs, model) - x
  const y = GAP_PX + row * (ROW_PX + GAP_PX)
  const title = element('title', {}, escaped(words))
  const own = { class: `mark ${kind}` }
  if (kind === 'event') {
    return element('circle', { ...own, cx: written(x), cy: y + ROW_PX / 2, r: 4 }, title)
  }
  if (kind === 'connection') {
    const laneHeight = lane.rows * (ROW_PX + GAP_PX)
    const ends = { x1: written(x), x2: written(x), y1: GAP_PX, y2: laneHeight }
    return element('line', { ...own, ...ends }, title)
  }
  const box = { x: written(x), y, width: written(width), height: ROW_PX }
  const rect = element('rect', { ...own, ...box }, title)
  if ((CALLS.has(kind) && width < LABEL_MIN_PERCENT) || label === '') return rect
  const text = element('text', { x: 4, y: 12 }, escaped(label))
  return rect + element('svg', { ...box, 'aria-hidden': 'true' }, text)
}
