/** Metrics of what the core tells (O19, O20, O22–O25), under ZooKeeper's names. */
import type { CountedName } from '../../core/server/witness.ts'
import { counter, detailed, gauge, summary, summarySet, valueSet, type Metric } from './metric.ts'
import { quotaLimits, quotaUsage } from './quota-figures.ts'
import type { ServerView } from './server-view.ts'

const COUNTED: readonly CountedName[] = [
  'large_requests_rejected',
  'request_throttle_wait_count',
  'revalidate_count',
  'stale_replies',
  'stale_requests_dropped',
  'throttled_ops',
  'ttl_node_created_count',
  'ttl_node_deleted_count',
]
const NONE: ReadonlyMap<string, number> = new Map()

export function coreMetrics(view: ServerView): Metric[] {
  const { core, history } = view.figures
  return [
    ...COUNTED.map((name) => counter(name, () => core.counted(name))),
    counter('quit_leading_due_to_disloyal_voter', () => history.quitLeadingCount),
    gauge('pending_syncs', () => (view.isLeader && !view.isStandalone ? core.pendingSyncs : null)),
    summary('connection_token_deficit', core.tokenDeficit),
    detailed('request_throttle_queue_time_ms', core.throttleQueueMs),
    detailed('proposal_latency', core.proposalMs),
    detailed('proposal_ack_creation_latency', core.ackCreationMs),
    detailed('quorum_ack_latency', core.quorumAckMs),
    summarySet('detailed-summaries', 'ack_latency', core.ackMs),
    detailed('commit_propagation_latency', core.commitPropagationMs),
    detailed('propagation_latency', core.propagationMs),
    ...namespaceMetrics(view),
  ]
}

/** D58. */
function namespaceMetrics(view: ServerView): Metric[] {
  const { core } = view.figures
  const quota = (name: string, read: typeof quotaLimits, of: 'count' | 'bytes'): Metric =>
    valueSet('gauges', name, () => {
      const tree = view.administered?.server.tree
      return tree === undefined ? NONE : read(tree.quotas, of)
    })
  return [
    summarySet('summaries', 'read_per_namespace', core.ofPaths('read_per_namespace')),
    summarySet('summaries', 'write_per_namespace', core.ofPaths('write_per_namespace')),
    valueSet('counters', 'quota_exceeded_error_per_namespace', () => core.quotaErrors),
    quota('quota_count_limit_per_namespace', quotaLimits, 'count'),
    quota('quota_bytes_limit_per_namespace', quotaLimits, 'bytes'),
    quota('quota_count_usage_per_namespace', quotaUsage, 'count'),
    quota('quota_bytes_usage_per_namespace', quotaUsage, 'bytes'),
  ]
}
