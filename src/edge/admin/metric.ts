/** One metric: its name in ZooKeeper, and where its value is read. */
import type { Distribution } from './distribution.ts'

export type Metric = GaugeMetric | CounterMetric | SummaryMetric | ValueSet | SummarySet

export interface GaugeMetric {
  readonly kind: 'gauge'
  readonly name: string
  /** Null: it does not exist just now, as leader metrics of a follower. */
  readonly read: () => number | null
  /** Java's double: printed with a fraction even when it has none. */
  readonly isDouble?: boolean
}

export interface CounterMetric {
  readonly kind: 'counter'
  readonly name: string
  readonly read: () => number
}

/** `summary` is ZooKeeper's basic one, `detailed` its advanced one, which shows more quantiles. */
export interface SummaryMetric {
  readonly kind: 'summary' | 'detailed'
  readonly name: string
  readonly figure: Distribution
}

/** One value for each key, which is a label in Prometheus and a prefix elsewhere. */
export interface ValueSet {
  readonly kind: 'gauges' | 'counters'
  readonly name: string
  readonly read: () => ReadonlyMap<string, number>
}

export interface SummarySet {
  readonly kind: 'summaries' | 'detailed-summaries'
  readonly name: string
  readonly figures: ReadonlyMap<string, Distribution>
}

export function gauge(name: string, read: () => number | null): GaugeMetric {
  return { kind: 'gauge', name, read }
}

export function double(name: string, read: () => number | null): GaugeMetric {
  return { kind: 'gauge', name, read, isDouble: true }
}

export function counter(name: string, read: () => number): CounterMetric {
  return { kind: 'counter', name, read }
}

export function summary(name: string, figure: Distribution): SummaryMetric {
  return { kind: 'summary', name, figure }
}

export function detailed(name: string, figure: Distribution): SummaryMetric {
  return { kind: 'detailed', name, figure }
}

export function valueSet(
  kind: ValueSet['kind'],
  name: string,
  read: () => ReadonlyMap<string, number>,
): ValueSet {
  return { kind, name, read }
}

export function summarySet(
  kind: SummarySet['kind'],
  name: string,
  figures: ReadonlyMap<string, Distribution>,
): SummarySet {
  return { kind, name, figures }
}

/** As Java prints a double. */
export function javaDouble(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
