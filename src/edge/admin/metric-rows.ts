/** Metrics as `mntr` and `monitor` tell them: flat, in the names of ZooKeeper's own provider. */
import type { AvgMinMax, Distribution } from './distribution.ts'
import { javaDouble, type Metric } from './metric.ts'
import { fullVersion } from './product-version.ts'
import type { ServerView } from './server-view.ts'

const PERCENTILES: readonly (readonly [string, number])[] = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
]

export function metricRows(view: ServerView, metrics: readonly Metric[]): [string, string][] {
  const rows: [string, string][] = [
    ['version', fullVersion()],
    ['server_state', view.state],
  ]
  if (!view.isStandalone) rows.push(['peer_state', peerState(view)])
  const { role, learnsFrom = null } = view.status ?? {}
  if (role === 'observing') rows.push(['observer_master_id', String(learnsFrom ?? -1)])
  const nowMs = view.now().elapsedMs
  for (const metric of metrics) rows.push(...rowsOf(metric, nowMs))
  return rows
}

function rowsOf(metric: Metric, nowMs: number): [string, string][] {
  const { name } = metric
  switch (metric.kind) {
    case 'counter':
      return [[name, String(metric.read())]]
    case 'gauge': {
      const value = metric.read()
      if (value === null) return []
      return [[name, metric.isDouble === true ? javaDouble(value) : String(value)]]
    }
    case 'summary':
      return summaryRows(name, metric.figure)
    case 'detailed':
      return detailedRows(name, metric.figure, nowMs)
    case 'gauges':
    case 'counters':
      return [...metric.read()].map(([key, value]) => [`${key}_${name}`, String(value)])
    case 'summaries':
      return [...metric.figures].flatMap(([key, one]) => summaryRows(`${key}_${name}`, one))
    case 'detailed-summaries':
      return [...metric.figures].flatMap(([key, one]) => detailedRows(`${key}_${name}`, one, nowMs))
  }
}

function detailedRows(name: string, figure: Distribution, nowMs: number): [string, string][] {
  figure.turn(nowMs)
  return [...summaryRows(name, figure), ...percentileRows(name, figure)]
}

function summaryRows(name: string, figure: AvgMinMax): [string, string][] {
  return [
    [`avg_${name}`, javaDouble(figure.average)],
    [`min_${name}`, String(figure.min)],
    [`max_${name}`, String(figure.max)],
    [`cnt_${name}`, String(figure.count)],
    [`sum_${name}`, String(Math.round(figure.sum))],
  ]
}

function percentileRows(name: string, figure: Distribution): [string, string][] {
  return PERCENTILES.map(([prefix, fraction]) => {
    const value = figure.quantile(fraction)
    return [`${prefix}_${name}`, String(Number.isNaN(value) ? 0 : Math.round(value))]
  })
}

/** `leading - broadcast` and the like. */
function peerState(view: ServerView): string {
  const role = view.status?.role ?? 'looking'
  if (role === 'looking') return 'looking'
  return `${role} - ${view.serving === null ? 'synchronization' : 'broadcast'}`
}
