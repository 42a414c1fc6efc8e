/**
 * Every metric that this server has, under ZooKeeper's name (O19–O25). What ZooKeeper has and this
 * server has not is in absent-metrics.ts, with the reason.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { EventType } from '../../core/jute/event-type.ts'
import { OpCode } from '../../core/jute/op-code.ts'
import type { MemberStatus } from '../../core/server/member-machine.ts'
import { Distribution } from './distribution.ts'
import { counter, detailed, double, gauge, summary, type Metric } from './metric.ts'
import { coreMetrics } from './core-metrics.ts'
import type { ServerView } from './server-view.ts'

/** Ours alone. */
export const OWN_METRICS: readonly string[] = ['slow_clients_dropped_count']

export interface MetricSources {
  readonly view: ServerView
  /** Of the admin server. */
  readonly admin: AdminCounts
}

export interface AdminCounts {
  snapshotErrors: number
  snapshotsLimited: number
  restoreErrors: number
  restoresLimited: number
  /** Connections without TLS where both are taken. */
  insecure: number
}

/** Names behind `op_count_`. Of a multi only the whole is counted, so `check` has no requests. */
const COUNTED: Readonly<Record<string, readonly number[]>> = {
  add_watch: [OpCode.addWatch],
  check: [OpCode.check],
  check_watches: [OpCode.checkWatches],
  close_session: [OpCode.closeSession],
  create: [OpCode.create, OpCode.create2, OpCode.createTTL, OpCode.createContainer],
  create_session: [OpCode.createSession],
  delete: [OpCode.delete, OpCode.deleteContainer],
  exists: [OpCode.exists],
  get_acl: [OpCode.getACL],
  get_all_children_number: [OpCode.getAllChildrenNumber],
  get_children: [OpCode.getChildren, OpCode.getChildren2],
  get_data: [OpCode.getData],
  get_ephemerals: [OpCode.getEphemerals],
  multi: [OpCode.multi],
  multi_read: [OpCode.multiRead],
  ping: [OpCode.ping],
  reconfig: [OpCode.reconfig],
  remove_watches: [OpCode.removeWatches],
  set_acl: [OpCode.setACL],
  set_data: [OpCode.setData],
  set_watches: [OpCode.setWatches, OpCode.setWatches2],
  sync: [OpCode.sync],
  who_am_i: [OpCode.whoAmI],
}

export function serverMetrics(sources: MetricSources): Metric[] {
  return [
    ...serverGauges(sources.view),
    ...treeGauges(sources.view),
    ...quorumGauges(sources.view),
    ...connectionCounters(sources.view),
    ...pipeline(sources.view),
    ...history(sources.view),
    ...coreMetrics(sources.view),
    ...operations(sources.view),
    ...administration(sources.admin),
  ]
}

function serverGauges(view: ServerView): Metric[] {
  const { traffic, history: past } = view.figures
  return [
    double('avg_latency', () => traffic.latency.average),
    gauge('max_latency', () => traffic.latency.max),
    gauge('min_latency', () => traffic.latency.min),
    gauge('packets_received', () => traffic.packetsReceived),
    gauge('packets_sent', () => traffic.packetsSent),
    gauge('num_alive_connections', () => traffic.connections.size),
    gauge('outstanding_requests', () => view.status?.outstanding ?? 0),
    gauge('uptime', () => Math.floor(view.now().elapsedMs - past.startedMs)),
    gauge('open_file_descriptor_count', openFiles),
    gauge('max_file_descriptor_count', openFilesMax),
    double('connection_drop_probability', () => view.figures.core.dropChance),
    gauge('last_client_response_size', () => traffic.responses.last),
    gauge('max_client_response_size', () => traffic.responses.max),
    gauge('min_client_response_size', () => traffic.responses.min),
    gauge('auth_failed_count', () => view.authFailures),
    gauge('non_mtls_remote_conn_count', () => traffic.plainRemote),
    gauge('non_mtls_local_conn_count', () => traffic.plainLocal),
    gauge('outstanding_tls_handshake', () => view.handshakes.pending),
    counter('unsuccessful_handshake', () => view.handshakes.failed),
    counter('slow_clients_dropped_count', () => traffic.slowClients),
  ]
}

function treeGauges(view: ServerView): Metric[] {
  const tree = (): TreeOf | null => view.administered?.server.tree ?? null
  return [
    gauge('znode_count', () => tree()?.store.nodeCount ?? 0),
    gauge('watch_count', () => tree()?.watches.size ?? 0),
    gauge('ephemerals_count', () => tree()?.store.ephemerals.count ?? 0),
    gauge('approximate_data_size', () => tree()?.store.approximateDataSize ?? 0),
    gauge('global_sessions', () => tree()?.sessions.size ?? 0),
    gauge('local_sessions', () => view.administered?.server.localSessions ?? 0),
    counter('digest_mismatches_count', () => tree()?.digestMismatches ?? 0),
  ]
}

type TreeOf = NonNullable<ServerView['administered']>['server']['tree']

/** Only in an ensemble, and most of them only on its leader. */
function quorumGauges(view: ServerView): Metric[] {
  const ofLeader = (read: (status: MemberStatus) => number) => (): number | null => {
    const { status } = view
    return status?.role === 'leading' && !view.isStandalone ? read(status) : null
  }
  const { proposals } = view.figures.storage
  const synced = (peers: MemberStatus['peers']): number =>
    peers.filter((peer) => peer.synced).length
  return [
    gauge('quorum_size', () => (view.isStandalone ? null : (view.status?.quorum.voters ?? null))),
    gauge(
      'learners',
      ofLeader(({ peers, observerPeers }) => synced(peers) + synced(observerPeers)),
    ),
    gauge(
      'synced_followers',
      ofLeader(({ peers }) => synced(peers)),
    ),
    gauge(
      'synced_non_voting_followers',
      ofLeader(() => 0),
    ),
    gauge('synced_observers', () => {
      const { status } = view
      const isMaster = status?.role === 'following' && view.settings.observerMasterPort !== null
      if (status === null || view.isStandalone) return null
      return status.role === 'leading' || isMaster ? synced(status.observerPeers) : null
    }),
    gauge(
      'leader_uptime',
      ofLeader(() => Math.floor(view.figures.history.leadsForMs(view.now().elapsedMs) ?? 0)),
    ),
    gauge(
      'last_proposal_size',
      ofLeader(() => proposals.last),
    ),
    gauge(
      'max_proposal_size',
      ofLeader(() => proposals.max),
    ),
    gauge(
      'min_proposal_size',
      ofLeader(() => proposals.min),
    ),
  ]
}

function connectionCounters(view: ServerView): Metric[] {
  const { traffic, history: past } = view.figures
  const closed =
    (...reasons: readonly string[]) =>
    (): number =>
      reasons.reduce((sum, reason) => sum + (traffic.closeReasons.get(reason) ?? 0), 0)
  return [
    counter('connection_request_count', () => traffic.connectionRequests),
    counter('connection_revalidate_count', () => traffic.revalidations),
    counter('connection_drop_count', () =>
      [...traffic.closeReasons.values()].reduce((sum, count) => sum + count, 0),
    ),
    counter('connection_rejected', () => traffic.rejected),
    counter('sessionless_connections_expired', closed('sessionless_timeout')),
    counter('stale_sessions_expired', () => past.expiredSessions),
    counter('cnxn_closed_without_zk_server_running', closed('not_serving')),
    counter('bytes_received_count', () => traffic.bytesReceived),
    counter('response_bytes', () => traffic.responseBytes),
    counter('watch_bytes', () => traffic.watchBytes),
  ]
}

function pipeline(view: ServerView): Metric[] {
  const { traffic, storage } = view.figures
  const watchers = (type: number): Distribution => traffic.watchRuns.get(type) ?? new Distribution()
  return [
    summary('fsynctime', storage.syncMs),
    summary('snapshottime', storage.snapshotMs),
    summary('dbinittime', storage.initMs),
    summary('startup_txns_loaded', storage.startupEntries),
    summary('restore_time', storage.restoreMs),
    summary('sync_processor_batch_size', storage.batchSize),
    detailed('sync_processor_queue_flush_time_ms', storage.flushMs),
    counter('sync_processor_request_queued', () => storage.entries),
    detailed('readlatency', traffic.reads),
    detailed('updatelatency', traffic.updates),
    summary('node_created_watch_count', watchers(EventType.NodeCreated)),
    summary('node_deleted_watch_count', watchers(EventType.NodeDeleted)),
    summary('node_changed_watch_count', watchers(EventType.NodeDataChanged)),
    summary('node_children_watch_count', watchers(EventType.NodeChildrenChanged)),
  ]
}

function history(view: ServerView): Metric[] {
  const { history: past } = view.figures
  return [
    summary('election_time', past.electionMs),
    counter('looking_count', () => past.lookingCount),
    summary('unavailable_time', past.unavailableMs),
    summary('leader_unavailable_time', past.leaderUnavailableMs),
    summary('follower_sync_time', past.followerSyncMs),
    summary('observer_sync_time', past.observerSyncMs),
    counter('diff_count', () => past.diffCount),
    counter('snap_count', () => past.snapCount),
    counter('proposal_count', () => past.led.proposals),
    counter('learner_proposal_received_count', () => past.learned.proposals),
    counter('commit_count', () => past.led.commits),
    counter('learner_commit_received_count', () => past.learned.commits),
    counter('unrecoverable_error_count', () => ((view.status?.halted ?? null) === null ? 0 : 1)),
  ]
}

function operations(view: ServerView): Metric[] {
  const { traffic } = view.figures
  const count = (codes: readonly number[]): number =>
    codes.reduce((sum, code) => sum + traffic.opCount(code), 0)
  return [
    counter('op_count_total', () => count(Object.values(COUNTED).flat())),
    ...Object.entries(COUNTED).map(([name, codes]) =>
      counter(`op_count_${name}`, () => count(codes)),
    ),
  ]
}

function administration(admin: AdminCounts): Metric[] {
  return [
    counter('snapshot_error_count', () => admin.snapshotErrors),
    counter('snapshot_rate_limited_count', () => admin.snapshotsLimited),
    counter('restore_error_count', () => admin.restoreErrors),
    counter('restore_rate_limited_count', () => admin.restoresLimited),
    counter('insecure_admin_count', () => admin.insecure),
  ]
}

/** Null where the system does not tell. */
function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}

function openFilesMax(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return line === null ? null : Number(line[1])
  } catch {
    return null
  }
}
