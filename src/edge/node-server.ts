/**
 * A server on Node, alone or as one member of an ensemble: the same core as in a tab, on
 * ZooKeeper's files, client port, quorum port and election port.
 */
import { randomBytes } from 'node:crypto'
import { QuorumNetwork } from '../adapters/tcp/quorum-network.ts'
import { DiskPace } from '../adapters/files/disk-pace.ts'
import { FileStorage } from '../adapters/files/storage.ts'
import { emptySnapshotChunk, type MemberStatus } from '../core/server/member-machine.ts'
import type { Moment, TraceEvent } from '../core/zab/effect.ts'
import { Member } from '../runtime/member.ts'
import { Administration } from './admin/administration.ts'
import type { Log } from './admin/log.ts'
import { ClientPorts } from './client-ports.ts'
import { memberConfigOf, networkTuningOf } from './member-settings.ts'
import { schedulePurge } from './purge-schedule.ts'
import { recoverDatabase } from './recover-database.ts'
import { isStandalone, type ServerSettings } from './settings.ts'
import { StateRestorer } from './restore-state.ts'
import { quorumSides } from './tls/quorum-sides.ts'
import { TlsKeeper } from './tls/tls-keeper.ts'
import { x509Ids } from './tls/x509-ids.ts'
import { waitFor } from './wait-for.ts'

export interface NodeServerHooks {
  readonly onTrace?: (event: TraceEvent, server: NodeServer) => void
  /** A connection of this address was refused, for the limit that is named. */
  readonly onRefused?: (address: string, reason: string) => void
  /** Default: nothing is logged. */
  readonly log?: Log
  /** A client of this address was cut off, for what is named. */
  readonly onDropped?: (address: string, reason: string) => void
  /** The text that the settings come from, as `initial_configuration` tells it. */
  readonly configuration?: string
  /** The server ended by itself: its disk failed or an invariant broke. Called once. */
  readonly onHalt?: (reason: string) => void
  readonly signal?: AbortSignal
}

/** How long one member may take from the end of recovery to serving, ms. Ours. */
const SERVE_LIMIT_MS = 30_000

export class NodeServer implements AsyncDisposable {
  readonly settings: ServerSettings
  readonly administration: Administration
  readonly #hooks: NodeServerHooks
  readonly #storage: FileStorage
  readonly #serving: Deferred = deferred()
  readonly #restorer = new StateRestorer()
  readonly #tls = new TlsKeeper({
    onReloaded: (prefix) => this.administration.keysReloaded(prefix),
    onFailed: (prefix, error) => this.administration.keysUnreadable(prefix, error),
  })
  #member: Member | null = null
  #network: QuorumNetwork | null = null
  #ports: ClientPorts | null = null
  #endPurge: () => void = () => undefined
  #isClosed = false

  private constructor(settings: ServerSettings, hooks: NodeServerHooks, storage: FileStorage) {
    this.settings = settings
    this.#hooks = hooks
    this.#storage = storage
    const { log, configuration = '' } = hooks
    this.administration = new Administration({ settings, now, configuration, ...(log && { log }) })
    // Also when nobody waits for it.
    this.#serving.done.catch(() => undefined)
  }

  /**
   * Resolves when the ports are open: alone, when clients are served; in an ensemble that needs
   * others (see `serving`). Rejects with what to do about it.
   */
  static async open(settings: ServerSettings, hooks: NodeServerHooks = {}): Promise<NodeServer> {
    const storage = new FileStorage({
      dataDirectory: settings.dataDirectory,
      token: randomBytes(8).toString('hex'),
      ...(settings.logDirectory === null ? {} : { logDirectory: settings.logDirectory }),
      forceSync: settings.forceSync,
      preallocateBytes: settings.preallocateBytes,
      logFileBytes: settings.logFileBytesMax,
      snapshotPacking: settings.snapshotPacking,
      ...(settings.trustsLogsAlone ? { trustedEmptySnapshot: emptySnapshotChunk() } : {}),
      // The schedule purges, when it is asked to.
      snapshotsRetained: null,
      // In an ensemble others have something to say while the disk writes.
      ...(isStandalone(settings) ? { pace: new DiskPace() } : {}),
      damagedTail: isStandalone(settings) ? 'refuse' : 'drop',
    })
    const server = new NodeServer(settings, hooks, storage)
    try {
      await server.#start()
      return server
    } catch (error) {
      server.administration.started('failure')
      await server.close()
      throw error
    }
  }

  /** Resolves when this server serves clients for the first time, rejects when it ended before. */
  get serving(): Promise<void> {
    return this.#serving.done
  }

  /** 0: there is none. */
  get clientPort(): number {
    return this.#ports?.port ?? 0
  }

  /** 0: there is none. */
  get secureClientPort(): number {
    return this.#ports?.securePort ?? 0
  }

  get connections(): number {
    return this.#ports?.connections ?? 0
  }

  /** The running member. Asserts that the server was opened. */
  get member(): Member {
    if (this.#member === null) throw new Error('the server has not started')
    return this.#member
  }

  status(): MemberStatus {
    return this.member.status()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#serving.reject(new Error('the server was shut down'))
    this.#restorer.close()
    this.#endPurge()
    this.#member?.stop('shut down')
    await Promise.all([this.#ports?.close(), this.#network?.close()])
    this.#tls.close()
    await this.administration.close()
    await this.#storage.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(): Promise<void> {
    const { settings } = this
    const isAlone = isStandalone(settings)
    await this.administration.listen(this.#tls)
    const config = memberConfigOf(settings, randomBytes(4).readUInt32BE())
    const startedMs = performance.now()
    const recovered = await recoverDatabase(this.#storage, settings)
    const member = new Member({
      config,
      recovered,
      storage: this.administration.tapStorage(this.#storage),
      clock: { now },
      every,
      // Alone, all connections' requests of one turn go into one write; peers had rather not wait.
      ...(isAlone ? { afterInputs: setImmediate } : {}),
      // It would cost every write some percent, and there is no command that asks for it.
      isRecorded: false,
      onTrace: (event) => this.#onTrace(event),
      onHalt: (reason) => this.#onHalt(reason),
    })
    this.#member = member
    this.administration.loaded(performance.now() - startedMs, recovered.log.length)
    const ports = (): ClientPorts | null => this.#ports
    this.administration.administer({
      status: () => member.status(),
      server: member.server,
      restore: (chunks) => this.#restorer.restore(member, chunks),
      get clientPort() {
        return ports()?.port ?? null
      },
      get secureClientPort() {
        return ports()?.securePort ?? null
      },
      get handshakes() {
        return ports()?.handshakes ?? { pending: 0, failed: 0 }
      },
    })
    if (isAlone) {
      const what = 'the server did not begin to serve'
      await waitFor(this.#serving.done, SERVE_LIMIT_MS, what, this.#hooks.signal)
    } else {
      this.#network = await QuorumNetwork.open({
        sid: config.sid,
        members: settings.members,
        groups: settings.groups,
        listensOnAllAddresses: settings.quorumListensOnAllAddresses,
        ...networkTuningOf(settings),
        tls: quorumSides(settings, this.#tls),
        onLink: (peer, link) => member.attachLink(peer, link),
        onRefused: (address, reason) => this.#hooks.onRefused?.(address, reason),
      })
    }
    await this.#listen(member)
    this.#endPurge = schedulePurge(this.#storage, settings)
    this.administration.started('success')
  }

  async #listen(member: Member): Promise<void> {
    const { administration, settings } = this
    this.#ports = await ClientPorts.open(settings, this.#tls, {
      maxFrameBytes: settings.frameBytesMax,
      onClient: (channel, { address, port, certificate, isSecure }) => {
        const ids = x509Ids(certificate, settings.x509SuperUser)
        const tap = administration.tapClient(channel, address, port, isSecure)
        member.attachClient(tap, address, ids)
      },
      onWord: (word, from, rest) => administration.answerWord(word, from, rest),
      onDropped: (address, reason) => {
        administration.dropped(address, reason)
        this.#hooks.onDropped?.(address, reason)
      },
      onRefused: (address, reason) => {
        administration.refused(address, reason)
        this.#hooks.onRefused?.(address, reason)
      },
    })
  }

  #onTrace(event: TraceEvent): void {
    if (event.type === 'established') this.#serving.resolve()
    this.#restorer.onTrace(event)
    this.administration.onTrace(event)
    this.#hooks.onTrace?.(event, this)
  }

  #onHalt(reason: string): void {
    this.#serving.reject(new Error(reason))
    if (this.#isClosed) return
    this.administration.halted(reason)
    void this.close()
    this.#hooks.onHalt?.(reason)
  }
}

function now(): Moment {
  return { elapsedMs: performance.now(), wallMs: Date.now() }
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs)
  return () => clearInterval(timer)
}

interface Deferred {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly done: Promise<void>
}

function deferred(): Deferred {
  let resolve = (): void => undefined
  let reject = (_error: Error): void => undefined
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { resolve, reject, done }
}
