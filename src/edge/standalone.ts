/**
 * One member alone on Node, as ZooKeeper's standalone server: the same core as in a tab, on
 * ZooKeeper's files and client port. An ensemble of one voter: it elects itself.
 */
import { randomBytes } from 'node:crypto'
import { ClientListener } from '../adapters/tcp/client-listener.ts'
import { FileStorage } from '../adapters/files/storage.ts'
import { toServerId } from '../core/base/zxid.ts'
import { emptySnapshotChunk } from '../core/server/member-machine.ts'
import type { MemberConfig, MemberStatus } from '../core/server/member-machine.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import { StorageError } from '../ports/storage.ts'
import { Member } from '../runtime/member.ts'
import { waitFor } from './wait-for.ts'

export interface StandaloneOptions {
  readonly dataDirectory: string
  /** dataLogDir. */
  readonly logDirectory?: string
  /** Default 2181; 0 = any free port. */
  readonly clientPort?: number
  /** clientPortAddress. Default every address. */
  readonly clientAddress?: string
  /** Default 2000 (tickTime). */
  readonly tickTimeMs?: number
  /** maxClientCnxns. Default 60, 0 = no limit. */
  readonly clientsPerAddressMax?: number
  readonly forceSync?: boolean
  readonly preallocateBytes?: number
  /** Further settings of the server. */
  readonly config?: Partial<MemberConfig>
  /** The answer to a four-letter word, or null when there is none. */
  readonly onWord?: (word: string, server: StandaloneServer) => string | null
  readonly onTrace?: (event: TraceEvent) => void
  /** The server ended by itself: its disk failed or an invariant broke. Called once. */
  readonly onHalt?: (reason: string) => void
  readonly signal?: AbortSignal
}

const CLIENT_PORT = 2181
const TICK_TIME_MS = 2_000
/** createSessionTrackerServerId: what the session ids of a standalone server begin with (S1). */
const STANDALONE_SID = toServerId(1)
/** How long one member may take from the end of recovery to serving, ms. Ours. */
const SERVE_LIMIT_MS = 30_000
const SESSION_KEY_BYTES = 32

export class StandaloneServer implements AsyncDisposable {
  readonly #options: StandaloneOptions
  readonly #storage: FileStorage
  readonly #member: Member
  #listener: ClientListener | null = null
  #isClosed = false
  readonly #serving: { resolve: () => void; reject: (error: Error) => void; done: Promise<void> }

  private constructor(options: StandaloneOptions, storage: FileStorage, config: MemberSetup) {
    this.#options = options
    this.#storage = storage
    this.#serving = deferred()
    this.#member = new Member({
      ...config,
      storage,
      clock: { now: () => ({ elapsedMs: performance.now(), wallMs: Date.now() }) },
      every,
      onTrace: (event) => this.#onTrace(event),
      onHalt: (reason) => this.#onHalt(reason),
    })
  }

  /** Resolves when clients are served. Rejects with what to do about it. */
  static async open(options: StandaloneOptions): Promise<StandaloneServer> {
    const storage = new FileStorage({
      dataDirectory: options.dataDirectory,
      token: randomBytes(8).toString('hex'),
      ...(options.logDirectory === undefined ? {} : { logDirectory: options.logDirectory }),
      ...(options.forceSync === undefined ? {} : { forceSync: options.forceSync }),
      ...(options.preallocateBytes === undefined
        ? {}
        : { preallocateBytes: options.preallocateBytes }),
    })
    try {
      const server = new StandaloneServer(options, storage, await setUp(options, storage))
      await server.#start()
      return server
    } catch (error) {
      await storage.close()
      throw error
    }
  }

  get clientPort(): number {
    return this.#listener?.port ?? 0
  }

  get connections(): number {
    return this.#listener?.connections ?? 0
  }

  status(): MemberStatus {
    return this.#member.status()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#member.stop('shut down')
    await this.#listener?.close()
    await this.#storage.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(): Promise<void> {
    const { clientAddress, clientsPerAddressMax, signal } = this.#options
    try {
      await waitFor(this.#serving.done, SERVE_LIMIT_MS, 'the server did not begin to serve', signal)
      this.#listener = await ClientListener.open({
        port: this.#options.clientPort ?? CLIENT_PORT,
        ...(clientAddress === undefined ? {} : { host: clientAddress }),
        ...(clientsPerAddressMax === undefined ? {} : { perAddressMax: clientsPerAddressMax }),
        onClient: (channel, address) => this.#member.attachClient(channel, address),
        onWord: (word) => this.#options.onWord?.(word, this) ?? null,
      })
    } catch (error) {
      this.#member.stop('did not start')
      throw error
    }
  }

  #onTrace(event: TraceEvent): void {
    if (event.type === 'established') this.#serving.resolve()
    this.#options.onTrace?.(event)
  }

  #onHalt(reason: string): void {
    this.#serving.reject(new Error(reason))
    if (this.#isClosed) return
    void this.close()
    this.#options.onHalt?.(reason)
  }
}

type MemberSetup = Pick<ConstructorParameters<typeof Member>[0], 'config' | 'recovered'>

/** An empty directory becomes an empty database, as `db.autocreate` says by default (P15). */
async function setUp(options: StandaloneOptions, storage: FileStorage): Promise<MemberSetup> {
  const atOpen = await storage.recover()
  const { founding } = await storage.meta()
  const sessionKey = founding ?? randomBytes(SESSION_KEY_BYTES)
  // Sessions outlive the process, so their passwords must: the key is this server's record.
  if (founding === null) await storage.pinFounding(sessionKey, emptySnapshotChunk())
  const recovered = atOpen.snapshot === null ? await storage.recover() : atOpen
  if (recovered.droppedTail > 0) {
    const what = `${recovered.droppedTail} entries at the end of its log are damaged`
    throw new StorageError(
      'corrupt',
      `${what}, and a server alone has nobody to ask what they were`,
    )
  }
  return {
    recovered,
    config: {
      sid: STANDALONE_SID,
      voters: [STANDALONE_SID],
      clusterId: 'standalone',
      sessionKey: new Uint8Array(sessionKey),
      seed: randomBytes(4).readUInt32BE(),
      tickTimeMs: options.tickTimeMs ?? TICK_TIME_MS,
      ...options.config,
    },
  }
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs)
  return () => clearInterval(timer)
}

function deferred(): {
  resolve: () => void
  reject: (error: Error) => void
  done: Promise<void>
} {
  let resolve = (): void => undefined
  let reject = (_error: Error): void => undefined
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Also when nobody waits any more.
  done.catch(() => undefined)
  return { resolve, reject, done }
}
