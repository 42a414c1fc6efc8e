/** The admin commands that tell something (O16): ZooKeeper's names, aliases and fields. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { counterOf, epochOf, formatZxid, toZxid } from '../../core/base/zxid.ts'
import type { EnsembleMember } from '../settings.ts'
import { zxidFilesIn } from './snapshot-file.ts'
import { get, getAlways, type AdminCommand, type CommandAnswer, type Serving } from './command.ts'
import type { ConnectionTap } from './connection-tap.ts'
import { environment } from './environment.ts'
import type { JsonValue } from './json-text.ts'
import { metricRows } from './metric-rows.ts'
import { operationWord } from './operation-words.ts'
import { fullVersion } from './product-version.ts'
import { addressesOf, bracketed, clientText } from '../../adapters/tcp/quorum-member.ts'
import { directoryBytes, sessionOfWatcher, type ServerView } from './server-view.ts'

type Fields = Readonly<Record<string, JsonValue>>

const NUMBER = /^-?\d+(\.\d+)?$/

export const FACT_COMMANDS: readonly AdminCommand[] = [
  get(['configuration', 'conf', 'config'], ({ view }) => configuration(view)),
  get(['connections', 'cons'], ({ view }) => connections(view, false)),
  get(['connection_stat_reset', 'crst'], ({ view }) => {
    view.figures.traffic.resetConnections()
    return {}
  }),
  get(['dirs'], ({ view }) => ({
    datadir_size: directoryBytes(view.dataDirectory),
    logdir_size: directoryBytes(view.logDirectory),
  })),
  get(['dump'], ({ view }, serving) => dump(view, serving)),
  getAlways(['environment', 'env', 'envi'], () => ({ fields: Object.fromEntries(environment()) })),
  getAlways(['get_trace_mask', 'gtmk'], ({ traceMask }) => ({
    fields: { tracemask: traceMask.value },
  })),
  get(['hash'], (_context, { server }) => ({
    digests: [...server.tree.digestLog].map(({ zxid, digest }) => ({ zxid, digest })),
  })),
  get(['initial_configuration', 'icfg'], ({ view }) => ({
    initial_configuration: view.initialConfiguration,
  })),
  get(['is_read_only', 'isro'], ({ view }) => ({ read_only: view.isReadOnly })),
  get(['last_snapshot', 'lsnp'], ({ view }) => lastSnapshot(view)),
  {
    names: ['leader', 'lead'],
    method: 'GET',
    needsServing: true,
    run: ({ view }, { status }) => leader(view, status.leader),
  },
  getAlways(['monitor', 'mntr'], ({ view, metrics }) => ({
    fields: Object.fromEntries(
      metricRows(view, metrics).map(([key, value]) => [
        key,
        NUMBER.test(value) ? Number(value) : value,
      ]),
    ),
  })),
  get(['observers', 'obsr'], (_context, { status }) => {
    const synced = status.observerPeers.filter((peer) => peer.synced)
    return { synced_observers: synced.length, observers: synced.map(({ sid }) => ({ sid })) }
  }),
  // Nothing is counted per observer.
  get(['observer_connection_stat_reset', 'orst'], () => ({})),
  get(['ruok'], () => ({})),
  getAlways(['set_trace_mask', 'stmk'], ({ traceMask, request }) => {
    const said = request.query.get('traceMask')
    const wanted = 'setTraceMask requires long traceMask argument'
    if (said === null) return { error: wanted }
    if (!/^-?\d{1,18}$/.test(said)) return { error: `${wanted}, got ${said}` }
    traceMask.value = BigInt(said)
    return { fields: { tracemask: traceMask.value } }
  }),
  get(['server_stats', 'srvr'], ({ view }, serving) => serverStats(view, serving)),
  get(['stats', 'stat'], ({ view }, serving) => ({
    ...serverStats(view, serving),
    ...connections(view, true),
  })),
  get(['stat_reset', 'srst'], ({ view }) => {
    view.figures.traffic.reset()
    return {}
  }),
  getAlways(['system_properties', 'sysp'], () => ({ fields: systemProperties() })),
  get(['voting_view'], ({ view }) => ({ current_config: votingView(view) })),
  get(['watches', 'wchc'], (_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    const rows = [...table.watchers()].map((watcher) => {
      return [String(sessionOfWatcher(server, watcher)), [...table.pathsOf(watcher)]] as const
    })
    return { session_id_to_watched_paths: Object.fromEntries(rows) }
  }),
  get(['watches_by_path', 'wchp'], (_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    const rows = [...table.paths()].map((path) => {
      return [path, [...table.watchersOf(path)].map((id) => sessionOfWatcher(server, id))] as const
    })
    return { path_to_session_ids: Object.fromEntries(rows) }
  }),
  get(['watch_summary', 'wchs'], (_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    return {
      num_connections: [...table.watchers()].length,
      num_paths: table.pathCount,
      num_total_watches: table.size,
    }
  }),
  getAlways(['zabstate'], ({ view }) => ({ fields: zabState(view) })),
]

function configuration(view: ServerView): Fields {
  const { settings } = view
  return {
    client_port: view.clientPort,
    data_dir: view.dataDirectory,
    data_log_dir: view.logDirectory,
    tick_time: settings.tickTimeMs,
    max_client_cnxns: settings.connectionsPerAddressMax,
    min_session_timeout: view.sessionTimeoutMinMs,
    max_session_timeout: view.sessionTimeoutMaxMs,
    server_id: settings.sid ?? 0,
    client_port_listen_backlog: settings.listenBacklog ?? -1,
  }
}

function connections(view: ServerView, isBrief: boolean): Fields {
  const taps = [...view.figures.traffic.connections]
  const fieldsOf = (isSecure: boolean): JsonValue =>
    taps.filter((tap) => tap.isSecure === isSecure).map((tap) => connectionFields(tap, isBrief))
  return { connections: fieldsOf(false), secure_connections: fieldsOf(true) }
}

function connectionFields(tap: ConnectionTap, isBrief: boolean): Fields {
  const brief = {
    remote_socket_address: `${bracketed(tap.address)}:${tap.port}`,
    interest_ops: 1,
    outstanding_requests: tap.outstanding,
    packets_received: tap.received,
    packets_sent: tap.sent,
  }
  if (isBrief) return brief
  return {
    ...brief,
    session_id: tap.session,
    last_operation: operationWord(tap.lastType),
    established: tap.establishedMs,
    session_timeout: tap.timeoutMs,
    last_cxid: tap.lastCxid,
    last_zxid: tap.lastZxid,
    last_response_time: Math.floor(tap.lastResponseMs),
    last_latency: Math.floor(tap.lastLatencyMs),
    min_latency: tap.latency.min,
    avg_latency: Math.floor(tap.latency.average),
    max_latency: tap.latency.max,
  }
}

function dump(view: ServerView, { server }: Serving): Fields {
  const { ephemerals } = server.tree.store
  return {
    expiry_time_to_session_ids: Object.fromEntries(
      view.expiringSessions(server).map(([atMs, ids]) => [String(atMs), ids]),
    ),
    session_id_to_ephemeral_paths: Object.fromEntries(
      [...ephemerals.owners()].map((owner) => [String(owner), [...ephemerals.of(owner)]]),
    ),
  }
}

function lastSnapshot(view: ServerView): Fields {
  const newest = zxidFilesIn(view.dataDirectory).at(-1)
  if (newest === undefined) return { zxid: 'ffffffffffffffff', timestamp: -1 }
  const { mtimeMs } = statSync(join(view.dataDirectory, newest.name))
  return { zxid: newest.zxid.toString(16), timestamp: Math.floor(mtimeMs / 1000) }
}

function leader(view: ServerView, sid: number | null): CommandAnswer {
  if (view.isStandalone) return { error: 'server is not initialized' }
  const host = view.settings.members.find((member) => member.sid === sid)?.host
  return {
    fields: { is_leader: view.isLeader, leader_id: sid ?? -1, leader_ip: host ?? '' },
  }
}

function serverStats(view: ServerView, { status, server }: Serving): Fields {
  const { traffic, storage, history } = view.figures
  const sizes = {
    last_buffer_size: traffic.responses.last,
    min_buffer_size: traffic.responses.min,
    max_buffer_size: traffic.responses.max,
  }
  const { last, min, max } = storage.proposals
  const open = traffic.connections.size
  return {
    version: fullVersion(),
    read_only: view.isReadOnly,
    server_stats: {
      packets_sent: traffic.packetsSent,
      packets_received: traffic.packetsReceived,
      fsync_threshold_exceed_count: storage.slowSyncs,
      client_response_stats: sizes,
      data_dir_size: directoryBytes(view.dataDirectory),
      log_dir_size: directoryBytes(view.logDirectory),
      provider_null: false,
      server_state: view.state,
      outstanding_requests: status.outstanding,
      min_latency: traffic.latency.min,
      avg_latency: traffic.latency.average,
      max_latency: traffic.latency.max,
      last_processed_zxid: server.tree.lastProcessed,
      num_alive_client_connections: open,
      uptime: Math.floor(view.now().elapsedMs - history.startedMs),
      auth_failed_count: view.authFailures,
      non_mtlsremote_conn_count: traffic.plainRemote,
      non_mtlslocal_conn_count: traffic.plainLocal,
    },
    client_response: sizes,
    ...(view.state === 'leader'
      ? {
          proposal_stats: { last_buffer_size: last, min_buffer_size: min, max_buffer_size: max },
        }
      : {}),
    node_count: server.tree.store.nodeCount,
  }
}

/** There is no Java here: what this process is and where it runs. */
function systemProperties(): Fields {
  const rows = [
    ...environment().filter(([, value]) => value !== '<NA>'),
    ...Object.entries(process.versions).map(([name, value]) => [`version.${name}`, value ?? '']),
  ] as [string, string][]
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function votingView(view: ServerView): Fields {
  const voters = view.settings.members.filter(({ role }) => role === 'participant')
  return Object.fromEntries(voters.map((member) => [String(member.sid), memberFields(member)]))
}

function memberFields(member: EnsembleMember): Fields {
  const { clientAddress, clientPort, role } = member
  const addresses = addressesOf(member)
  return {
    server_addresses: addresses.map(({ host, quorumPort }) => `${bracketed(host)}:${quorumPort}`),
    election_addresses: addresses.map(
      ({ host, electionPort }) => `${bracketed(host)}:${electionPort}`,
    ),
    client_address: clientText(clientAddress, clientPort),
    learner_type: role,
  }
}

function zabState(view: ServerView): Fields {
  const { own, status, settings } = view
  const zxid = view.administered?.server.tree.lastProcessed
  if (view.isStandalone || own === null || status === null || zxid === undefined) {
    return { voting: false, zabstate: '' }
  }
  const last = toZxid(zxid)
  return {
    myid: settings.sid ?? 0,
    is_leader: view.isLeader,
    quorum_address: `${bracketed(own.host)}:${own.quorumPort}`,
    election_address: `${bracketed(own.host)}:${own.electionPort}`,
    client_address: clientText(own.clientAddress, own.clientPort),
    voting: own.role === 'participant',
    last_zxid: formatZxid(last),
    zab_epoch: epochOf(last),
    zab_counter: counterOf(last),
    zabstate: zabPhase(view),
  }
}

/** ZooKeeper tells discovery from synchronisation; this member does both before it serves. */
function zabPhase(view: ServerView): string {
  if (view.serving !== null) return 'broadcast'
  return view.status?.role === 'looking' ? 'election' : 'synchronization'
}
