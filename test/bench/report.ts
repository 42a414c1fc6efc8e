/** The table: each figure beside the raw one of the same run, the ratio, the aim. */
import { type Figures, median } from './figures.ts'
import { cpuOf, IDLE_CPU, PIPELINES, READ, READS, ROUND_TRIP, SEQUENTIAL } from './steady.ts'

export type Aim =
  /** Product ÷ raw, at most or at least. */
  | { readonly kind: 'ratio-max' | 'ratio-min'; readonly ratio: number }
  | { readonly kind: 'ms-max'; readonly ms: number }

interface Row {
  readonly name: string
  readonly unit: 'ms' | '/s' | 'us'
  readonly aim: Aim | null
}

export const FORM = {
  firstLeader: 'third tab to first leader',
  allServing: 'third tab to every tab served',
  linkToLeader: 'link up to first leader',
} as const

export const FAILOVER = {
  close: { established: 'clean close to new leader', writes: 'clean close, gap of writes' },
  crash: { established: 'crash to new leader', writes: 'crash, gap of writes' },
} as const

const LATENCY: Aim = { kind: 'ratio-max', ratio: 1.5 }
const THROUGHPUT: Aim = { kind: 'ratio-min', ratio: 0.6 }
const msMax = (ms: number): Aim => ({ kind: 'ms-max', ms })

const ROWS: readonly Row[] = [
  { name: `${ROUND_TRIP} p50`, unit: 'ms', aim: null },
  { name: `${SEQUENTIAL} p50`, unit: 'ms', aim: LATENCY },
  { name: `${SEQUENTIAL} p99`, unit: 'ms', aim: null },
  ...PIPELINES.map(({ name }): Row => ({ name, unit: '/s', aim: THROUGHPUT })),
  ...PIPELINES.map(({ name }): Row => ({ name: cpuOf(name), unit: 'us', aim: null })),
  { name: IDLE_CPU, unit: 'ms', aim: null },
  { name: `${READ} p50`, unit: 'ms', aim: null },
  { name: READS.name, unit: '/s', aim: null },
  { name: FORM.firstLeader, unit: 'ms', aim: msMax(1000) },
  { name: FORM.allServing, unit: 'ms', aim: null },
  { name: FORM.linkToLeader, unit: 'ms', aim: null },
  { name: FAILOVER.close.established, unit: 'ms', aim: msMax(500) },
  { name: FAILOVER.close.writes, unit: 'ms', aim: msMax(500) },
  { name: FAILOVER.crash.established, unit: 'ms', aim: msMax(2000) },
  { name: FAILOVER.crash.writes, unit: 'ms', aim: msMax(2000) },
]

const SIDES = ['leader', 'follower'] as const
const HEAD = ['', 'raw limit', "client in the leader's tab", "in a follower's tab", 'aim']

/** One line per figure: median (least..most) of the rounds, ratios of the same round. */
export function tableOf(figures: Figures): string {
  const cells = [HEAD]
  for (const row of ROWS) {
    const sides = SIDES.map((side) => sideText(figures, side, row))
    if (sides.every((text) => text === '') && figures.of('raw', row.name).length === 0) continue
    const verdicts = SIDES.map((side) => verdict(figures, side, row)).filter((one) => one !== '')
    const aim = row.aim === null ? '' : `${aimText(row.aim)}: ${verdicts.join(', ')}`
    cells.push([row.name, spread(figures.of('raw', row.name), row.unit), ...sides, aim])
  }
  return aligned(cells)
}

/** What a part of the benchmark found besides the table above: a table of its own. */
export interface Report {
  readonly title: string
  /** The head first. */
  readonly cells: readonly (readonly string[])[]
  readonly notes: readonly string[]
  readonly figures: object
}

export function textOf({ title, cells, notes }: Report): string {
  return [`\n${title}`, aligned(cells), ...notes].join('\n')
}

function aligned(cells: readonly (readonly string[])[]): string {
  const columns = Math.max(...cells.map((line) => line.length))
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...cells.map((line) => line[i]?.length ?? 0)),
  )
  return cells
    .map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}

function sideText(figures: Figures, side: (typeof SIDES)[number], row: Row): string {
  const values = figures.of(side, row.name)
  if (values.length === 0) return ''
  const ratios = figures.ratios(side, row.name)
  const ratio = ratios.length === 0 ? '' : `  ${median(ratios).toFixed(2)} x`
  return `${spread(values, row.unit)}${ratio}`
}

function spread(values: readonly number[], unit: Row['unit']): string {
  if (values.length === 0) return ''
  const range = `${short(Math.min(...values))}..${short(Math.max(...values))}`
  return `${short(median(values))} ${unit} (${range})`
}

function verdict(figures: Figures, side: (typeof SIDES)[number], { name, aim }: Row): string {
  const measured = aim?.kind === 'ms-max' ? figures.of(side, name) : figures.ratios(side, name)
  if (aim === null || measured.length === 0) return ''
  const mid = median(measured)
  const isMet =
    aim.kind === 'ms-max'
      ? mid <= aim.ms
      : aim.kind === 'ratio-max'
        ? mid <= aim.ratio
        : mid >= aim.ratio
  return isMet ? 'met' : 'missed'
}

function aimText(aim: Aim): string {
  if (aim.kind === 'ms-max') return `<= ${aim.ms} ms`
  return `${aim.kind === 'ratio-max' ? '<=' : '>='} ${aim.ratio} x raw`
}

export function short(value: number): string {
  if (!Number.isFinite(value)) return 'never'
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
