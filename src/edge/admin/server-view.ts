/** The facts that words and admin commands tell, in the terms of ZooKeeper. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { MemberStatus } from '../../core/server/member-machine.ts'
import type { ZooKeeperServer } from '../../core/server/zookeeper-server.ts'
import { toSessionId } from '../../core/base/zxid.ts'
import type { Moment } from '../../core/zab/effect.ts'
import { isStandalone, type EnsembleMember, type ServerSettings } from '../settings.ts'
import type { AdministeredServer } from './administered-server.ts'
import type { Handshakes } from '../../adapters/tcp/tls-side.ts'
import type { CoreFigures } from './core-figures.ts'
import type { Traffic } from './traffic.ts'
import type { StorageFigures } from './storage-tap.ts'
import type { RoleHistory } from './role-history.ts'

const NO_HANDSHAKES: Handshakes = { pending: 0, failed: 0 }
const VERSION_DIRECTORY = 'version-2'

export interface Figures {
  readonly traffic: Traffic
  readonly storage: StorageFigures
  readonly history: RoleHistory
  readonly core: CoreFigures
}

export interface ViewOptions {
  readonly settings: ServerSettings
  readonly figures: Figures
  readonly now: () => Moment
  /** The text that the settings come from; empty: there is none. */
  readonly configuration: string
}

/** Lines whose values are nobody's business: whoever may ask need not be a super user. */
const SECRET_LINE = /^(.*(?:digest|passw)[^=:]*[=:]).*$/gim

/** Expiry time, elapsed ms, and what expires then, soonest first. */
export type ExpiryBuckets<T> = readonly (readonly [number, readonly T[]])[]

export class ServerView {
  readonly settings: ServerSettings
  readonly figures: Figures
  readonly now: () => Moment
  readonly initialConfiguration: string
  /** Null before the first start. */
  administered: AdministeredServer | null = null

  constructor({ settings, figures, now, configuration }: ViewOptions) {
    this.settings = settings
    this.figures = figures
    this.now = now
    this.initialConfiguration = configuration.replace(SECRET_LINE, '$1***')
  }

  /** Null: it serves nobody just now, and most words have no other answer than that (O13). */
  get serving(): {
    readonly status: MemberStatus
    readonly server: AdministeredServer['server']
  } | null {
    const status = this.status
    const server = this.administered?.server
    if (server === undefined || status === null) return null
    if (!status.serving && !status.readOnly) return null
    return { status, server }
  }

  get status(): MemberStatus | null {
    return this.administered?.status() ?? null
  }

  get isStandalone(): boolean {
    // The voters of a room of tabs are in its founding record, not in the settings.
    return isStandalone(this.settings) && (this.status?.quorum.voters ?? 1) === 1
  }

  get clientPort(): number {
    return this.administered?.clientPort ?? -1
  }

  get secureClientPort(): number {
    return this.administered?.secureClientPort ?? -1
  }

  /** Of TLS, on the ports of clients. */
  get handshakes(): Handshakes {
    return this.administered?.handshakes ?? NO_HANDSHAKES
  }

  /** By password, by certificate, or without the one that is asked for. */
  get authFailures(): number {
    const { closeReasons } = this.figures.traffic
    return (closeReasons.get('auth_failure') ?? 0) + this.handshakes.failed
  }

  /** ZooKeeper's word for what the server is (O2). */
  get state(): string {
    if (this.isStandalone) return 'standalone'
    if (this.isReadOnly) return 'read-only'
    switch (this.status?.role) {
      case 'leading':
        return 'leader'
      case 'following':
        return 'follower'
      case 'observing':
        return 'observer'
      default:
        return 'looking'
    }
  }

  /** Out of reach of a quorum it answers reads of those who asked for that. */
  get isReadOnly(): boolean {
    return this.status?.readOnly === true
  }

  get isLeader(): boolean {
    return this.status?.role === 'leading'
  }

  get dataDirectory(): string {
    return resolve(this.settings.dataDirectory, VERSION_DIRECTORY)
  }

  get logDirectory(): string {
    const { logDirectory, dataDirectory } = this.settings
    return resolve(logDirectory ?? dataDirectory, VERSION_DIRECTORY)
  }

  get own(): EnsembleMember | null {
    const { members, sid } = this.settings
    return members.find((member) => member.sid === sid) ?? null
  }

  get sessionTimeoutMinMs(): number {
    return this.settings.sessionTimeoutMinMs ?? 2 * this.settings.tickTimeMs
  }

  get sessionTimeoutMaxMs(): number {
    return this.settings.sessionTimeoutMaxMs ?? 20 * this.settings.tickTimeMs
  }

  /** Sessions by when they expire: exact on a leader, empty where this server cannot know. */
  expiringSessions(server: AdministeredServer['server']): ExpiryBuckets<bigint> {
    const at = this.now()
    const buckets = new Map<number, bigint[]>()
    for (const id of server.tree.sessions.keys()) {
      const leftMs = server.remainingMs(toSessionId(id), at)
      if (leftMs !== null) put(buckets, this.#roundUp(at.elapsedMs + leftMs), id)
    }
    return sorted(buckets)
  }

  /** Connections by when they are cut if nothing comes. */
  expiringConnections(): ExpiryBuckets<{ readonly name: string; readonly session: bigint }> {
    const buckets = new Map<number, { name: string; session: bigint }[]>()
    for (const tap of this.figures.traffic.connections) {
      const { address, port, session, heardAtMs } = tap
      const limitMs = tap.timeoutMs || this.settings.sessionlessTimeoutMs
      const row = { name: `/${address}:${port}`, session }
      put(buckets, this.#roundUp(heardAtMs + limitMs), row)
    }
    return sorted(buckets)
  }

  /** When that will be, ms since 1970. */
  wallOf(elapsedMs: number): number {
    const at = this.now()
    return at.wallMs + (elapsedMs - at.elapsedMs)
  }

  #roundUp(elapsedMs: number): number {
    const { tickTimeMs } = this.settings
    return Math.ceil(elapsedMs / tickTimeMs) * tickTimeMs
  }
}

/** Session of a watcher, 0 when its connection is gone. */
export function sessionOfWatcher(server: Pick<ZooKeeperServer, 'connections'>, id: number): bigint {
  return server.connections.find(id)?.session ?? 0n
}

/** Bytes of the files in a directory; 0 when it is not there. */
export function directoryBytes(path: string): number {
  let bytes = 0
  try {
    for (const name of readdirSync(path)) {
      bytes += statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return bytes
}

function put<T>(buckets: Map<number, T[]>, at: number, item: T): void {
  const bucket = buckets.get(at)
  if (bucket === undefined) buckets.set(at, [item])
  else bucket.push(item)
}

function sorted<T>(buckets: Map<number, T[]>): ExpiryBuckets<T> {
  return [...buckets].sort(([a], [b]) => a - b)
}
