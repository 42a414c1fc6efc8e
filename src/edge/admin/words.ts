/** The four-letter words of the client port, in ZooKeeper's text (O1–O14). */
import { javaDate } from '../../cli/java-date.ts'
import { configLines } from '../../adapters/tcp/quorum-member.ts'
import type { ConnectionTap } from './connection-tap.ts'
import { environment } from './environment.ts'
import { javaDouble, type Metric } from './metric.ts'
import { metricRows } from './metric-rows.ts'
import { operationWord } from './operation-words.ts'
import { fullVersion } from './product-version.ts'
import {
  directoryBytes,
  sessionOfWatcher,
  type ExpiryBuckets,
  type ServerView,
} from './server-view.ts'
import type { TraceMask } from './trace-mask.ts'

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n'
/** The mask that follows `stmk`. */
const MASK_BYTES = 8

/** Who asks: the connection that a word comes on is one of the server's, too. */
export interface Asker {
  readonly address: string
  readonly port: number
}

export interface WordContext {
  readonly view: ServerView
  readonly metrics: readonly Metric[]
  readonly traceMask: TraceMask
  readonly asker: Asker
  /** What came behind the word. */
  readonly rest: Uint8Array
}

type Serving = NonNullable<ServerView['serving']>
type Word = (context: WordContext) => string

const WORDS: Readonly<Record<string, Word>> = {
  ruok: () => 'imok',
  gtmk: ({ traceMask }) => String(traceMask.value),
  stmk: setTraceMask,
  envi: () => lines(['Environment:', ...environment().map(([key, value]) => `${key}=${value}`)]),
  isro: ({ view }) => (view.serving === null ? 'null' : view.isReadOnly ? 'ro' : 'rw'),
  srvr: whileServing((context, serving) => versionLine(context) + statistics(context, serving)),
  stat: whileServing(
    (context, serving) =>
      `${versionLine(context)}Clients:\n${connections(context, true)}\n` +
      statistics(context, serving),
  ),
  conf: whileServing(({ view }) => configuration(view)),
  cons: whileServing((context) => `${connections(context, false)}\n`),
  crst: whileServing(({ view }) => {
    view.figures.traffic.resetConnections()
    return 'Connection stats reset.\n'
  }),
  srst: whileServing(({ view }) => {
    view.figures.traffic.reset()
    view.figures.storage.proposals.reset()
    return 'Server stats reset.\n'
  }),
  dirs: whileServing(({ view }) =>
    lines([
      `datadir_size: ${directoryBytes(view.dataDirectory)}`,
      `logdir_size: ${directoryBytes(view.logDirectory)}`,
    ]),
  ),
  dump: whileServing(({ view }, serving) => dump(view, serving)),
  mntr: whileServing(({ view, metrics }) =>
    lines(metricRows(view, metrics).map(([key, value]) => `zk_${key}\t${value}`)),
  ),
  wchs: whileServing((_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    const watchers = [...table.watchers()].length
    return lines([
      `${watchers} connections watching ${table.pathCount} paths`,
      `Total watches:${table.size}`,
    ])
  }),
  wchc: whileServing((_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    const rows = [...table.watchers()].flatMap((watcher) => [
      hex(sessionOfWatcher(server, watcher)),
      ...[...table.pathsOf(watcher)].map((path) => `\t${path}`),
    ])
    return `${lines(rows)}\n`
  }),
  wchp: whileServing((_context, { server }) => {
    const { dataWatches: table } = server.tree.watches
    const rows = [...table.paths()].flatMap((path) => [
      path,
      ...[...table.watchersOf(path)].map((id) => `\t${hex(sessionOfWatcher(server, id))}`),
    ])
    return `${lines(rows)}\n`
  }),
  hash: whileServing((_context, { server }) =>
    lines([...server.tree.digestLog].map(({ zxid, digest }) => `${zxid.toString(16)}: ${digest}`)),
  ),
}

export const ALL_WORDS: readonly string[] = Object.keys(WORDS)

/**
 * The words that `4lw.commands.whitelist` allows (O14). ZooKeeper's own scripts need srvr, its
 * read-only clients isro.
 */
export function allowedWords(list: readonly string[], readOnlyMode: boolean): ReadonlySet<string> {
  const said = list.map((word) => word.trim())
  const allowed = new Set(said.includes('*') ? ALL_WORDS : said.filter((word) => word !== ''))
  if (readOnlyMode) allowed.add('isro')
  return allowed.add('srvr')
}

/** Null: it is none of the words, so something else is meant. */
export function answerWord(
  word: string,
  allowed: ReadonlySet<string>,
  context: WordContext,
): string | null {
  const answer = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
  if (answer === undefined) return null
  if (!allowed.has(word)) return `${word} is not executed because it is not in the whitelist.\n`
  return answer(context)
}

function whileServing(answer: (context: WordContext, serving: Serving) => string): Word {
  return (context) => {
    const { serving } = context.view
    return serving === null ? NOT_SERVING : answer(context, serving)
  }
}

function setTraceMask({ traceMask, rest }: WordContext): string {
  if (rest.length >= MASK_BYTES) {
    traceMask.value = new DataView(rest.buffer, rest.byteOffset).getBigInt64(0)
  }
  return String(traceMask.value)
}

function versionLine({ view }: WordContext): string {
  const mode = view.isReadOnly ? 'READ-ONLY mode; serving only read-only clients\n' : ''
  return `Zookeeper version: ${fullVersion()}\n${mode}`
}

function statistics({ view }: WordContext, { status, server }: Serving): string {
  const { traffic, storage } = view.figures
  const { latency } = traffic
  const { last, min, max } = storage.proposals
  return lines([
    `Latency min/avg/max: ${latency.min}/${javaDouble(latency.average)}/${latency.max}`,
    `Received: ${traffic.packetsReceived}`,
    `Sent: ${traffic.packetsSent}`,
    `Connections: ${traffic.connections.size + 1}`,
    `Outstanding: ${status.outstanding}`,
    `Zxid: ${status.zxid}`,
    `Mode: ${view.state}`,
    `Node count: ${server.tree.store.nodeCount}`,
    ...(view.state === 'leader' ? [`Proposal sizes last/min/max: ${last}/${min}/${max}`] : []),
  ])
}

/** The one that asks comes first; it reads nothing more and waits for nothing. */
function connections({ view, asker }: WordContext, isBrief: boolean): string {
  const own = ` /${asker.address}:${asker.port}[0](queued=0,recved=1,sent=0)`
  const taps = [...view.figures.traffic.connections]
  return lines([own, ...taps.map((tap) => connectionLine(tap, isBrief))])
}

function connectionLine(tap: ConnectionTap, isBrief: boolean): string {
  const counts = `queued=${tap.outstanding},recved=${tap.received},sent=${tap.sent}`
  const more = isBrief || tap.session === 0n ? '' : sessionFields(tap)
  return ` /${tap.address}:${tap.port}[1](${counts}${more})`
}

function sessionFields(tap: ConnectionTap): string {
  const { latency } = tap
  return (
    `,sid=${hex(tap.session)},lop=${operationWord(tap.lastType)},est=${tap.establishedMs}` +
    `,to=${tap.timeoutMs}${tap.lastCxid < 0 ? '' : `,lcxid=0x${tap.lastCxid.toString(16)}`}` +
    `,lzxid=${hex(tap.lastZxid)},lresp=${Math.floor(tap.lastResponseMs)}` +
    `,llat=${Math.floor(tap.lastLatencyMs)},minlat=${latency.min}` +
    `,avglat=${Math.floor(latency.average)},maxlat=${latency.max}`
  )
}

function configuration(view: ServerView): string {
  const { settings, own, isStandalone } = view
  return lines([
    `clientPort=${view.clientPort}`,
    `secureClientPort=${view.secureClientPort}`,
    `dataDir=${view.dataDirectory}`,
    `dataDirSize=${directoryBytes(view.dataDirectory)}`,
    `dataLogDir=${view.logDirectory}`,
    `dataLogSize=${directoryBytes(view.logDirectory)}`,
    `tickTime=${settings.tickTimeMs}`,
    `maxClientCnxns=${settings.connectionsPerAddressMax}`,
    `minSessionTimeout=${view.sessionTimeoutMinMs}`,
    `maxSessionTimeout=${view.sessionTimeoutMaxMs}`,
    `clientPortListenBacklog=${settings.listenBacklog ?? -1}`,
    `serverId=${settings.sid ?? 0}`,
    ...(isStandalone || own === null
      ? []
      : [
          `initLimit=${settings.initLimitTicks}`,
          `syncLimit=${settings.syncLimitTicks}`,
          'electionAlg=3',
          `electionPort=${own.electionPort}`,
          `quorumPort=${own.quorumPort}`,
          `peerType=${settings.role === 'observer' ? 1 : 0}`,
          'membership: ',
          ...configLines(settings.members, settings.groups),
        ]),
  ])
}

/** Followers know the sessions, and only the leader when they expire. */
function dump(view: ServerView, { server }: Serving): string {
  const { tree } = server
  const sessions =
    view.isStandalone || view.isLeader
      ? `Session ${bucketLines(view, view.expiringSessions(server), hex)}`
      : lines([
          `Global Sessions(${tree.sessions.size}):`,
          ...[...tree.sessions].map(([id, timeoutMs]) => `${hex(id)}\t${timeoutMs}ms`),
        ])
  const { ephemerals } = tree.store
  const owners = [...ephemerals.owners()]
  const nodes = owners.flatMap((owner) => [
    `${hex(owner)}:`,
    ...[...ephemerals.of(owner)].map((path) => `\t${path}`),
  ])
  const open = bucketLines(
    view,
    view.expiringConnections(),
    ({ name, session }) => `ip: ${name} sessionId: ${hex(session)}`,
  )
  return (
    `SessionTracker dump:\n${sessions}ephemeral nodes dump:\n` +
    `${lines([`Sessions with Ephemerals (${owners.length}):`, ...nodes])}` +
    `Connections dump:\nConnections ${open}`
  )
}

function bucketLines<T>(
  view: ServerView,
  buckets: ExpiryBuckets<T>,
  text: (item: T) => string,
): string {
  const count = buckets.reduce((sum, [, items]) => sum + items.length, 0)
  const rows = buckets.flatMap(([atMs, items]) => [
    `${items.length} expire at ${javaDate(view.wallOf(atMs), undefined)}:`,
    ...items.map((item) => `\t${text(item)}`),
  ])
  return lines([`Sets (${buckets.length})/(${count}):`, ...rows])
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`
}

function lines(rows: readonly string[]): string {
  return rows.map((row) => `${row}\n`).join('')
}
