/**
 * The administrator's side of one server: taps that measure, and what is told of it by four-letter
 * words, admin commands, metrics and logs. It outlives the members that a server runs in turn, and
 * none of it is needed to serve.
 */
import { messageOf } from '../../core/base/message-of.ts'
import type { Moment, TraceEvent } from '../../core/zab/effect.ts'
import { toSessionId, toZxid } from '../../core/base/zxid.ts'
import { DOES_NOT_READ } from '../../adapters/tcp/socket-channel.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import type { Storage } from '../../ports/storage.ts'
import type { ServerSettings } from '../settings.ts'
import type { AdministeredServer } from './administered-server.ts'
import { openAdmin } from './admin-server.ts'
import { adminSide } from '../tls/admin-side.ts'
import type { TlsKeeper } from '../tls/tls-keeper.ts'
import { AuditLog } from './audit-log.ts'
import type { TrafficListener } from './connection-tap.ts'
import { CoreFigures } from './core-figures.ts'
import { NO_LOG, type Log } from './log.ts'
import { ServerLog } from './server-log.ts'
import type { HttpListener } from './http-listener.ts'
import type { Metric } from './metric.ts'
import { openMetrics } from './prometheus.ts'
import { RoleHistory } from './role-history.ts'
import { serverMetrics, type AdminCounts } from './server-metrics.ts'
import { ServerView } from './server-view.ts'
import { StorageFigures, tapStorage } from './storage-tap.ts'
import { TraceMask } from './trace-mask.ts'
import { Traffic } from './traffic.ts'
import { allowedWords, answerWord, type Asker } from './words.ts'

export interface AdministrationOptions {
  readonly settings: ServerSettings
  readonly now: () => Moment
  /** Default: nothing is logged. */
  readonly log?: Log
  /** The text of the file that the settings come from; default: there is none. */
  readonly configuration?: string
}

/** A request that takes longer is logged, ms. Ours: half a tick of the default. */
const SLOW_REQUEST_MS = 1_000

export class Administration {
  readonly view: ServerView
  readonly metrics: readonly Metric[]
  readonly traceMask: TraceMask = new TraceMask()
  readonly counts: AdminCounts = {
    snapshotErrors: 0,
    snapshotsLimited: 0,
    restoreErrors: 0,
    restoresLimited: 0,
    insecure: 0,
  }
  readonly #settings: ServerSettings
  readonly #now: () => Moment
  readonly #words: ReadonlySet<string>
  readonly #log: Log
  readonly #serverLog: ServerLog
  /** Null: audit.enable is off. */
  readonly #audit: AuditLog | null
  #admin: HttpListener | null = null
  #prometheus: HttpListener | null = null

  constructor({ settings, now, log = NO_LOG, configuration = '' }: AdministrationOptions) {
    this.#settings = settings
    this.#now = now
    const elapsed = (): number => now().elapsedMs
    const { largeRequestBytes, wordsAllowed, readOnlyModeEnabled } = settings
    const traffic = new Traffic({ largeRequestBytes, slowRequestMs: SLOW_REQUEST_MS }, elapsed)
    const history = new RoleHistory(elapsed())
    const core = new CoreFigures(() => history.isLeading)
    const figures = { traffic, storage: new StorageFigures(), history, core }
    this.view = new ServerView({ settings, figures, now, configuration })
    this.metrics = serverMetrics({ view: this.view, admin: this.counts })
    this.#words = allowedWords(wordsAllowed, readOnlyModeEnabled)
    this.#log = log
    this.#serverLog = new ServerLog(log, elapsed)
    this.#audit = settings.auditEnabled ? this.#newAudit() : null
    traffic.listener = listenerOf(this.#serverLog, this.#audit)
  }

  /** From now on this is told; null: nothing runs. */
  administer(server: AdministeredServer | null): void {
    this.view.administered = server
    if (server !== null) server.server.witness = this.view.figures.core
  }

  /** Null: there is none. */
  get adminPort(): number | null {
    return this.#admin?.port ?? null
  }

  get metricsPort(): number | null {
    return this.#prometheus?.port ?? null
  }

  /**
   * Opens the admin server and `/metrics`, as the settings say. A port that is taken keeps nobody
   * from serving, but for that of the metrics, which somebody asked for: then it rejects.
   */
  async listen(tlsKeeper: TlsKeeper | null = null): Promise<void> {
    const { adminEnabled, adminPort, adminIdleTimeoutMs, metrics: prometheus } = this.#settings
    const { view, metrics, traceMask, counts } = this
    const refresh = (): void => this.refresh()
    if (adminEnabled) {
      // Whoever asks for TLS gets it, or no server.
      const tls = adminSide(this.#settings, tlsKeeper)
      this.#admin = await openAdmin({
        tls,
        view,
        metrics,
        traceMask,
        counts,
        refresh,
        onFailure: (path, error) => this.#log.error('admin-failure', { path, ...reasonOf(error) }),
      }).catch((error: unknown) => {
        // Its port is on by default, and a second server on a machine must serve without it.
        this.#log.warn('no-admin-server', { port: adminPort, ...reasonOf(error) })
        return null
      })
    }
    if (prometheus === null) return
    this.#prometheus = await openMetrics({
      settings: prometheus,
      metrics,
      refresh,
      elapsedMs: () => this.#now().elapsedMs,
      idleTimeoutMs: adminIdleTimeoutMs,
    }).catch((error: unknown) => {
      const what = `the metrics did not start (metricsProvider.httpPort=${prometheus.port})`
      throw new Error(`${what}: ${reasonOf(error).reason}`, { cause: error })
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin?.close(), this.#prometheus?.close()])
    this.#admin = null
    this.#prometheus = null
    this.#audit?.server('serverStop', 'invoked')
  }

  /** The channel to serve in place of a client's. */
  tapClient(
    channel: ClientChannel,
    address: string,
    port: number,
    isSecure = false,
  ): ClientChannel {
    const { wallMs: establishedMs } = this.#now()
    return this.view.figures.traffic.tap(channel, { address, port, establishedMs, isSecure })
  }

  /** The storage to give a member in place of this one. */
  tapStorage(storage: Storage): Storage {
    const { storage: figures, history, core } = this.view.figures
    return tapStorage({
      storage,
      figures,
      now: () => this.#now().elapsedMs,
      wallNow: () => this.#now().wallMs,
      slowSyncMs: this.#settings.slowSyncMs,
      onSlowSync: (tookMs, entries) => this.#serverLog.slowSync(tookMs, entries),
      onSnapshot: (zxid, bytes, tookMs) => this.#serverLog.snapshot(zxid, bytes, tookMs),
      onStored: (entry) => core.stored(entry, this.#now().wallMs),
      onEntry: (entry) => {
        history.proposed()
        this.#audit?.onEntry(entry)
      },
    })
  }

  /** A connection was refused for a limit of the client port. */
  refused(address: string, reason: string): void {
    this.view.figures.traffic.rejected++
    this.#serverLog.refused(address, reason)
  }

  /** A client was cut off for what it sent, or for what it did not read. */
  dropped(address: string, reason: string): void {
    if (reason === DOES_NOT_READ) this.view.figures.traffic.slowClients++
    this.#serverLog.dropped(address, reason)
  }

  onTrace(event: TraceEvent): void {
    if (event.type === 'role') this.#countApplied()
    this.view.figures.history.see(event, this.#now().elapsedMs)
    this.#audit?.onTrace(event)
    this.#serverLog.trace(event)
  }

  /** The database was read, with so many transactions of its log. */
  loaded(tookMs: number, entries: number): void {
    const { storage } = this.view.figures
    storage.initMs.add(tookMs)
    storage.startupEntries.add(entries)
  }

  /** The server serves, or gave up before it did. */
  started(result: 'success' | 'failure'): void {
    this.#audit?.server('serverStart', result)
  }

  /** Files of the TLS keys behind this prefix have changed. */
  keysReloaded(prefix: string): void {
    this.#log.info('keys-reloaded', { keys: prefix })
  }

  /** … and cannot be used: those from before stay. */
  keysUnreadable(prefix: string, error: unknown): void {
    this.#log.warn('keys-not-reloaded', { keys: prefix, ...reasonOf(error) })
  }

  /** The server ended by itself. */
  halted(reason: string): void {
    this.#log.error('halted', { reason })
  }

  /** Null: it is no word. Never throws. */
  answerWord(word: string, asker: Asker, rest: Uint8Array = new Uint8Array(0)): string | null {
    this.refresh()
    const { view, metrics, traceMask } = this
    // ZooKeeper counts it as a packet, too.
    view.figures.traffic.packetsReceived++
    return answerWord(word, this.#words, { view, metrics, traceMask, asker, rest })
  }

  /** Before figures are read. */
  refresh(): void {
    this.view.figures.traffic.endRun()
    this.#countApplied()
  }

  #newAudit(): AuditLog {
    return new AuditLog({
      write: (entry) => {
        const { result } = entry
        if (result === 'failure') this.#log.warn('audit', { ...entry })
        else this.#log.info('audit', { ...entry })
      },
      idsOf: (session) => {
        const connections = this.view.administered?.server.connections
        return connections?.bySession(toSessionId(session))?.authInfo ?? []
      },
    })
  }

  #countApplied(): void {
    const zxid = this.view.administered?.server.tree.lastProcessed
    if (zxid !== undefined) this.view.figures.history.applied(toZxid(zxid))
  }
}

function listenerOf(log: ServerLog, audit: AuditLog | null): TrafficListener {
  return {
    wants: (type) => audit?.wants(type) ?? false,
    answered: (tap, request) => audit?.answered(tap, request),
    unanswered: (tap, type, body) => audit?.unanswered(tap, type, body),
    closed: (tap, reason, detail) => log.closed(tap, reason, detail),
    large: (tap, type, bytes) => log.large(tap, type, bytes),
    slow: (tap, type, tookMs) => log.slow(tap, type, tookMs),
  }
}

function reasonOf(error: unknown): { reason: string } {
  return { reason: messageOf(error) }
}
