/**
 * ZooKeeper's handle with promises: one session, kept alive and moved between members.
 *
 * Every call settles: with the server's answer, with a ZooKeeperError, or with the reason of its
 * signal. After Expired, Closed or AuthFailed the handle is dead for good: open a new one, and set
 * watches and ephemerals again (N31). Disconnected is not expired: ephemerals are still there, but
 * whoever acts as leader or lock holder must stop until SyncConnected (S33).
 */

import type { Acl, ClientInfo, Stat } from '../core/jute/data-records.ts'
import type { ReconfigRequest } from '../core/jute/session-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { AddWatchMode, WatcherType } from '../core/jute/event-type.ts'
import {
  makeCall,
  rejected,
  settledBy,
  settleVoid,
  type Call,
  type CallDefaults,
  type CallOptions,
} from './call.ts'
import { Chroot } from './chroot.ts'
import { ZooKeeperError } from './errors.ts'
import {
  RECONNECT_DELAY_MAX_MS,
  ROUND_PAUSE_MS,
  SESSION_TIMEOUT_DEFAULT_MS,
  UNSENT_WAIT_MS,
} from './limits.ts'
import * as operations from './operations.ts'
import { SessionDriver } from './session-driver.ts'
import { isAlive, isConnected, type ClientState } from './session-protocol.ts'
import { platformTicker, type Ticker } from './ticker.ts'
import {
  checkPath,
  toData,
  Transaction,
  type CreateOptions,
  type Op,
  type OpResult,
  type ZnodeData,
} from './transaction.ts'
import type { ClientTransport, ReconnectPace } from './transport.ts'
import { WatchStream, type WatchStreamOptions } from './watch-stream.ts'
import { tell, type WatchedEvent, type Watcher } from './watched-event.ts'

export interface ZooKeeperClientOptions {
  readonly transport: ClientTransport
  /** Wanted; the server grants 2 to 20 ticks (S4). */
  readonly sessionTimeoutMs?: number
  /** Put before every path; it need not exist. */
  readonly chroot?: string
  /** The default watcher: session events, and node events of reads with `watch: true`. */
  readonly watcher?: Watcher
  /** Goes on with the session of another handle (S18). */
  readonly session?: { readonly id: bigint; readonly password: Uint8Array }
  /** Accept a read-only server. */
  readonly canBeReadOnly?: boolean
  /** Default of each call; 0: never (S36). */
  readonly requestTimeoutMs?: number
  /** Default of each call; Infinity: as long as the session lives. */
  readonly unsentWaitMs?: number
  /** This and the next: default the transport's. */
  readonly reconnectDelayMaxMs?: number
  readonly roundPauseMs?: number
  readonly ticker?: Ticker
  /** In [0, 1); for the order of hosts and the delays. */
  readonly random?: () => number
}

export interface ReadOptions extends CallOptions {
  /** Tells this watcher, or with true the default watcher, of the next change. */
  readonly watch?: boolean | Watcher
}

export interface RemoveWatchesOptions extends CallOptions {
  /** Remove here even if the server refuses or cannot be reached (N38). */
  readonly local?: boolean
}

const ZOOKEEPER_PACE: ReconnectPace = {
  reconnectDelayMaxMs: RECONNECT_DELAY_MAX_MS,
  roundPauseMs: ROUND_PAUSE_MS,
}

export class ZooKeeperClient implements AsyncDisposable {
  readonly #chroot: Chroot
  readonly #driver: SessionDriver
  readonly #defaults: CallDefaults
  readonly #defaultWatcher: Watcher | null
  readonly #eventListeners = new Set<Watcher>()
  readonly #stateListeners = new Set<(state: ClientState) => void>()

  /** Begins to connect at once. */
  constructor(options: ZooKeeperClientOptions) {
    this.#chroot = new Chroot(options.chroot)
    this.#defaultWatcher = options.watcher ?? null
    this.#defaults = {
      timeoutMs: options.requestTimeoutMs ?? 0,
      unsentWaitMs: options.unsentWaitMs ?? UNSENT_WAIT_MS,
    }
    const { session, transport } = options
    const pace = transport.pace ?? ZOOKEEPER_PACE
    this.#driver = new SessionDriver({
      transport,
      ticker: options.ticker ?? platformTicker,
      config: {
        sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_DEFAULT_MS,
        random: options.random ?? Math.random,
        resume:
          session === undefined ? null : { sessionId: session.id, password: session.password },
        canBeReadOnly: options.canBeReadOnly ?? false,
        reconnectDelayMaxMs: options.reconnectDelayMaxMs ?? pace.reconnectDelayMaxMs,
        roundPauseMs: options.roundPauseMs ?? pace.roundPauseMs,
      },
      onSessionEvent: (event, watchers) => this.#onSessionEvent(event, watchers),
      onStateChange: (state) => this.#onStateChange(state),
      toClientPath: (path) => this.#chroot.toClient(path),
    })
  }

  /** A handle that has a session. On abort the handle is closed. */
  static async connect(
    options: ZooKeeperClientOptions & { readonly signal?: AbortSignal },
  ): Promise<ZooKeeperClient> {
    const client = new ZooKeeperClient(options)
    try {
      await client.connected(options.signal)
    } catch (error) {
      await client.close()
      throw error
    }
    return client
  }

  get state(): ClientState {
    return this.#driver.session.state
  }

  /** 0n before the first session. */
  get sessionId(): bigint {
    return this.#driver.session.sessionId
  }

  /** A copy. Whoever has it and the id can take the session over. */
  get sessionPassword(): Uint8Array {
    return this.#driver.session.password.slice()
  }

  /** 0 before the first session. */
  get negotiatedTimeoutMs(): number {
    return this.#driver.session.negotiatedTimeoutMs
  }

  /** The newest zxid that this handle has seen; it never goes to a member behind it (S35). */
  get lastZxid(): bigint {
    return this.#driver.session.lastZxid
  }

  /** Resolves as soon as a member serves the session; rejects when the handle is dead. */
  connected(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return rejected(signal.reason)
    return new Promise<void>((resolve, reject) => {
      const stop = this.onState((state) => {
        if (isAlive(state) && !isConnected(state)) return
        end()
        if (isAlive(state)) resolve()
        else reject(this.#deadError())
      })
      const onAbort = (): void => {
        end()
        rejected(signal?.reason).catch(reject)
      }
      const end = (): void => {
        stop()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      if (isConnected(this.state)) resolve()
      else if (!isAlive(this.state)) reject(this.#deadError())
      else return
      end()
    })
  }

  /** Each change of the handle's state (S31). The result ends it. */
  onState(listener: (state: ClientState) => void): () => void {
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  /** Session events, as the default watcher gets them. The result ends it. */
  onSessionEvent(listener: Watcher): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  /** Resolves to the path, with the suffix if the mode is sequential. */
  create(path: string, data: ZnodeData = null, options: CreateOptions = {}): Promise<string> {
    return this.#call(() => operations.createCall(this.#chroot, path, data, options), options)
  }

  /** `create` that also tells the new node's Stat. */
  create2(
    path: string,
    data: ZnodeData = null,
    options: CreateOptions = {},
  ): Promise<operations.PathAndStat> {
    return this.#call(() => operations.create2Call(this.#chroot, path, data, options), options)
  }

  delete(path: string, version = -1, options: CallOptions = {}): Promise<void> {
    return this.#call(() => operations.deleteCall(this.#chroot, path, version), options)
  }

  /** null when there is no such node; a watch is set in either case (N2). */
  exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    return this.#call(
      () => operations.existsCall(this.#chroot, path, this.#watcherOf(options)),
      options,
    )
  }

  getData(path: string, options: ReadOptions = {}): Promise<operations.DataAndStat> {
    return this.#call(
      () => operations.getDataCall(this.#chroot, path, this.#watcherOf(options)),
      options,
    )
  }

  setData(path: string, data: ZnodeData, version = -1, options: CallOptions = {}): Promise<Stat> {
    return this.#call(() => operations.setDataCall(this.#chroot, path, data, version), options)
  }

  /** Names, in the server's order (D43). */
  getChildren(path: string, options: ReadOptions = {}): Promise<readonly string[]> {
    return this.#call(
      () => operations.getChildrenCall(this.#chroot, path, this.#watcherOf(options)),
      options,
    )
  }

  getChildren2(path: string, options: ReadOptions = {}): Promise<operations.ChildrenAndStat> {
    return this.#call(
      () => operations.getChildren2Call(this.#chroot, path, this.#watcherOf(options)),
      options,
    )
  }

  getACL(path: string, options: CallOptions = {}): Promise<operations.AclAndStat> {
    return this.#call(() => operations.getACLCall(this.#chroot, path), options)
  }

  setACL(
    path: string,
    acl: readonly Acl[],
    version = -1,
    options: CallOptions = {},
  ): Promise<Stat> {
    return this.#call(() => operations.setACLCall(this.#chroot, path, acl, version), options)
  }

  /** Later reads are as fresh as the leader was when this arrived; no quorum round trip (D65). */
  sync(path: string, options: CallOptions = {}): Promise<void> {
    return this.#call(() => operations.syncCall(this.#chroot, path), options)
  }

  /** All or nothing; rejects with MultiError. */
  multi(ops: readonly Op[], options: CallOptions = {}): Promise<OpResult[]> {
    return this.#call(() => operations.multiCall(this.#chroot, ops), options)
  }

  transaction(): Transaction {
    return new Transaction((ops, options) => this.multi(ops, options))
  }

  multiRead(
    ops: readonly operations.ReadOp[],
    options: CallOptions = {},
  ): Promise<operations.ReadResult[]> {
    return this.#call(() => operations.multiReadCall(this.#chroot, ops), options)
  }

  /**
   * A watch that stays: on the node and its list of children, or (PERSISTENT_RECURSIVE) on the node
   * and all below. It gets no catch-up events after a reconnect (N26): read again then.
   */
  addWatch(
    path: string,
    mode: AddWatchMode = AddWatchMode.PERSISTENT_RECURSIVE,
    watch: true | Watcher = true,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#call(
      () => operations.addWatchCall(this.#chroot, path, mode, this.#theWatcher(watch)),
      options,
    )
  }

  /** Removes one watcher; rejects with NOWATCHER when it is not set (N37–N39). */
  removeWatches(
    path: string,
    watcher: Watcher,
    type: WatcherType = WatcherType.Any,
    options: RemoveWatchesOptions = {},
  ): Promise<void> {
    return this.#removeWatches(path, type, watcher, options)
  }

  removeAllWatches(
    path: string,
    type: WatcherType = WatcherType.Any,
    options: RemoveWatchesOptions = {},
  ): Promise<void> {
    return this.#removeWatches(path, type, null, options)
  }

  /** Remembered and sent again on every connection. A refusal ends the handle (S34). */
  addAuthInfo(scheme: string, auth: ZnodeData, options: CallOptions = {}): Promise<void> {
    const { signal } = options
    if (signal?.aborted === true) return rejected(signal.reason)
    return settledBy(this.#driver, signal, (resolve: (value: void) => void, reject) =>
      this.#driver.addAuth(scheme, toData(auth), settleVoid(null, resolve, reject)),
    )
  }

  whoAmI(options: CallOptions = {}): Promise<readonly ClientInfo[]> {
    return this.#call(() => operations.whoAmICall(), options)
  }

  /**
   * The transport knows of other servers than before (TcpTransport.members): may move this session
   * to another one, so that all clients together stay evenly spread (S30).
   */
  updateServerList(): void {
    this.#driver.rebalance()
  }

  /** Changes who the members are; most servers are told to refuse it (RECONFIGDISABLED). */
  reconfigure(
    request: ReconfigRequest,
    options: CallOptions = {},
  ): Promise<operations.DataAndStat> {
    return this.#call(() => operations.reconfigCall(request), options)
  }

  /** The ephemerals of this session whose path begins with `prefix`; '/' for all. */
  getEphemerals(prefix = '/', options: CallOptions = {}): Promise<readonly string[]> {
    return this.#call(() => operations.getEphemeralsCall(this.#chroot, prefix), options)
  }

  getAllChildrenNumber(path: string, options: CallOptions = {}): Promise<number> {
    return this.#call(() => operations.getAllChildrenNumberCall(this.#chroot, path), options)
  }

  /**
   * The events of a path, one after the other. One-shot kinds are armed again before an event is
   * handed out, so what is read after an event is never older than the event.
   */
  watch(path: string, options: WatchStreamOptions): WatchStream {
    return new WatchStream(this, path, options)
  }

  /** Ends the session, and its ephemerals with it. Resolves when the server has said so. */
  async close(): Promise<void> {
    if (!isAlive(this.state)) return
    await new Promise<void>((resolve) => {
      const stop = this.onState((state) => {
        if (isAlive(state)) return
        stop()
        resolve()
      })
      this.#driver.close()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #removeWatches(
    path: string,
    type: WatcherType,
    watcher: Watcher | null,
    options: RemoveWatchesOptions,
  ): Promise<void> {
    const { tables } = this.#driver.session
    const serverPath = this.#chroot.toServer(path)
    const makeIt = (): Call<boolean> => {
      checkPath(path)
      if (!tables.has(serverPath, type, watcher)) {
        throw new ZooKeeperError(ErrorCode.NOWATCHER, { path })
      }
      const keepAtServer = watcher !== null && tables.hasOther(serverPath, type, watcher)
      const isLocal = options.local ?? false
      return operations.removeWatchesCall(this.#chroot, path, {
        type,
        watcher,
        isLocal,
        keepAtServer,
      })
    }
    return this.#call(makeIt, options).then(() => undefined)
  }

  /** What is wrong with the arguments rejects as well: no call throws. */
  #call<T>(make: () => Call<T>, options: CallOptions): Promise<T> {
    let call: Call<T>
    try {
      call = make()
    } catch (error) {
      return rejected(error)
    }
    return makeCall(this.#driver, this.#defaults, call, options)
  }

  #watcherOf(options: ReadOptions): Watcher | null {
    const { watch = false } = options
    return watch === false ? null : this.#theWatcher(watch)
  }

  #theWatcher(watch: true | Watcher): Watcher {
    if (watch !== true) return watch
    if (this.#defaultWatcher !== null) return this.#defaultWatcher
    throw new TypeError('watch: true needs the option `watcher` of the client')
  }

  #deadError(): ZooKeeperError {
    const isAuth = this.state === 'AUTH_FAILED'
    return new ZooKeeperError(isAuth ? ErrorCode.AUTHFAILED : ErrorCode.SESSIONEXPIRED)
  }

  /** Each watcher once, in whatever roles it waits (N34). */
  #onSessionEvent(event: WatchedEvent, ofNodes: readonly Watcher[]): void {
    const watchers = new Set(this.#eventListeners)
    if (this.#defaultWatcher !== null) watchers.add(this.#defaultWatcher)
    for (const watcher of ofNodes) watchers.add(watcher)
    for (const watcher of watchers) tell(watcher, event)
  }

  #onStateChange(state: ClientState): void {
    for (const listener of [...this.#stateListeners]) listener(state)
  }
}
