/**
 * `/metrics` for Prometheus (O27): the same metrics as `mntr`, under the names that ZooKeeper's
 * provider exports. prom-client writes them down and adds those of the process.
 */
import { collectDefaultMetrics, Registry, type Metric as Registered } from 'prom-client'
import type { Distribution } from './distribution.ts'
import { openHttp, type HttpAnswer, type HttpListener } from './http-listener.ts'
import type { Metric } from './metric.ts'
import type { PrometheusSettings } from '../settings.ts'

const QUANTILES = { summary: [0.5], detailed: [0.5, 0.95, 0.99] } as const
const TYPES: Readonly<Record<Metric['kind'], string>> = {
  gauge: 'gauge',
  gauges: 'gauge',
  counter: 'counter',
  counters: 'counter',
  summary: 'summary',
  summaries: 'summary',
  detailed: 'summary',
  'detailed-summaries': 'summary',
}
/** The label of ZooKeeper's sets. */
const KEY = 'key'
const PATH = '/metrics'

interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName: string
}

export interface MetricsOptions {
  readonly settings: PrometheusSettings
  readonly metrics: readonly Metric[]
  /** Before they are read. */
  readonly refresh: () => void
  readonly elapsedMs: () => number
  readonly idleTimeoutMs: number
}

/** Rejects with what the operating system says: port in use, address not ours. */
export async function openMetrics(options: MetricsOptions): Promise<HttpListener> {
  const { settings, idleTimeoutMs } = options
  const registry = metricsRegistry(options)
  if (settings.exportsProcessInfo) collectDefaultMetrics({ register: registry })
  const answer = async (path: string): Promise<HttpAnswer> => {
    if (path !== PATH) return { status: 404, type: 'text/plain', body: 'see /metrics\n' }
    options.refresh()
    return { status: 200, type: registry.contentType, body: await registry.metrics() }
  }
  return openHttp({
    host: settings.host,
    port: settings.port,
    idleTimeoutMs,
    methods: ['GET', 'HEAD'],
    answer: ({ path }) => answer(path),
  })
}

export function metricsRegistry(options: Pick<MetricsOptions, 'metrics' | 'elapsedMs'>): Registry {
  const registry = new Registry()
  for (const metric of options.metrics) {
    // Read where it is kept: one of prom-client's own would be a second copy of it.
    const exposed = new ExposedMetric(metric, options.elapsedMs)
    registry.registerMetric(exposed as unknown as Registered)
  }
  return registry
}

/** What a registry asks of a metric. */
class ExposedMetric {
  readonly name: string
  readonly #metric: Metric
  readonly #elapsedMs: () => number

  constructor(metric: Metric, elapsedMs: () => number) {
    this.name = metric.name
    this.#metric = metric
    this.#elapsedMs = elapsedMs
  }

  get(): Promise<{ name: string; help: string; type: string; values: Sample[] }> {
    const { name, kind } = this.#metric
    const type = TYPES[kind]
    return Promise.resolve({ name, help: `${name} ${type}`, type, values: this.#samples() })
  }

  #samples(): Sample[] {
    const metric = this.#metric
    const { name, kind } = metric
    if (kind === 'counter' || kind === 'gauge') {
      const value = metric.read()
      return value === null ? [] : [{ value, labels: {}, metricName: name }]
    }
    switch (kind) {
      case 'gauges':
      case 'counters':
        return [...metric.read()].map(([key, value]) => {
          return { value, labels: { [KEY]: key }, metricName: name }
        })
      case 'summaries':
      case 'detailed-summaries': {
        const quantiles = QUANTILES[kind === 'summaries' ? 'summary' : 'detailed']
        return [...metric.figures].flatMap(([key, figure]) =>
          this.#summary(figure, quantiles, { [KEY]: key }),
        )
      }
      default:
        return this.#summary(metric.figure, QUANTILES[kind], {})
    }
  }

  #summary(
    figure: Distribution,
    quantiles: readonly number[],
    labels: Readonly<Record<string, string>>,
  ): Sample[] {
    const { name } = this
    figure.turn(this.#elapsedMs())
    return [
      ...quantiles.map((quantile) => ({
        value: figure.quantile(quantile),
        labels: { ...labels, quantile },
        metricName: name,
      })),
      { value: figure.sum, labels, metricName: `${name}_sum` },
      { value: figure.count, labels, metricName: `${name}_count` },
    ]
  }
}
