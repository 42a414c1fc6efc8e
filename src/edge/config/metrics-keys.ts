/** metricsProvider.*: which provider, and what it is given (O27). */
import type { ServerSettings } from '../settings.ts'
import { ConfigError } from './config-error.ts'
import { parseFlag, parseWhole } from './setting-row.ts'

const PREFIX = 'metricsProvider.'
const PROMETHEUS = 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider'
const NO_PROVIDERS: readonly string[] = [
  '',
  'org.apache.zookeeper.metrics.impl.DefaultMetricsProvider',
  'org.apache.zookeeper.metrics.impl.NullMetricsProvider',
]
/** Threads between the server and its counters: there are none here. */
const IDLE: readonly string[] = ['numWorkerThreads', 'maxQueueSize', 'workerShutdownTimeoutMs']
const PORT = 7000
const PORT_MAX = 65_535

export const METRICS_KEYS: readonly string[] = [
  'className',
  'httpHost',
  'httpPort',
  'exportJvmInfo',
]

export function isMetricsKey(key: string): boolean {
  return key.startsWith(PREFIX)
}

export function metricsSettings(
  given: ReadonlyMap<string, string>,
  warn: (text: string) => void,
): Pick<ServerSettings, 'metrics'> {
  const of = (name: string): string | undefined => given.get(PREFIX + name)
  for (const key of given.keys()) {
    const name = key.slice(PREFIX.length)
    if (METRICS_KEYS.includes(name)) continue
    const why = IDLE.includes(name) ? 'nothing stands between it and its counters' : 'no such key'
    warn(`${key}: ${why}: it is ignored`)
  }
  const className = of('className') ?? ''
  if (NO_PROVIDERS.includes(className)) return { metrics: null }
  if (className !== PROMETHEUS) {
    throw new ConfigError(`metricsProvider.className=${className}: there is only ${PROMETHEUS}`)
  }
  return {
    metrics: {
      host: of('httpHost') ?? '0.0.0.0',
      port: parseWhole(`${PREFIX}httpPort`, of('httpPort') ?? String(PORT), 0, PORT_MAX),
      exportsProcessInfo: parseFlag(`${PREFIX}exportJvmInfo`, of('exportJvmInfo') ?? 'true'),
    },
  }
}
