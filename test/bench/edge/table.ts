/** What was measured, round by round, and the table that says so. */
import { median } from '../figures.ts'
import type { Form, Side } from './servers.ts'

export interface Reading {
  readonly form: Form
  readonly title: string
  readonly unit: string
  /** True: more is better. */
  readonly isRate: boolean
  readonly side: Side
  readonly value: number
  /** CPU time of the servers per operation, µs; null: says nothing there. */
  readonly cpuUs: number | null
}

const FORMS: Readonly<Record<Form, string>> = { alone: 'standalone', ensemble: 'three members' }

/**
 * Medians of the rounds. `better` is the median of the ratios within one round, turned so that more
 * than 1 speaks for zabra: what the machine did to one side of a round it did to the other as well.
 */
export function tableOf(readings: readonly Reading[]): string {
  const lines = [
    '| servers | load | Apache ZooKeeper | zabra | better | CPU µs per operation |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  for (const { form, title, unit, isRate } of rowsOf(readings)) {
    const of = (side: Side): Reading[] =>
      readings.filter((one) => one.form === form && one.title === title && one.side === side)
    const [theirs, ours] = [of('apache'), of('zabra')]
    const cells = [
      FORMS[form],
      title,
      figure(theirs, unit),
      figure(ours, unit),
      betterBy(theirs, ours, isRate),
      `${cpu(theirs)} / ${cpu(ours)}`,
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}

function rowsOf(readings: readonly Reading[]): Reading[] {
  const rows = new Map<string, Reading>()
  for (const reading of readings) {
    const key = `${reading.form} ${reading.title}`
    if (!rows.has(key)) rows.set(key, reading)
  }
  return [...rows.values()]
}

function figure(readings: readonly Reading[], unit: string): string {
  if (readings.length === 0) return '–'
  return `${rounded(median(readings.map(({ value }) => value)))} ${unit}`
}

function betterBy(theirs: readonly Reading[], ours: readonly Reading[], isRate: boolean): string {
  const ratios = ours.flatMap(({ value }, round) => {
    const other = theirs[round]?.value
    if (other === undefined) return []
    return [isRate ? value / other : other / value]
  })
  return ratios.length === 0 ? '–' : `${median(ratios).toFixed(2)} ×`
}

function cpu(readings: readonly Reading[]): string {
  const values = readings.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]))
  return values.length === 0 ? '–' : rounded(median(values))
}

function rounded(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
