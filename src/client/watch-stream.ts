/**
 * The events of one path as an async iterable.
 *
 * One-shot kinds: the watch is armed again in the moment its event comes, before the reader gets
 * the event. Requests of one connection keep their order, so what the reader reads then is no older
 * than the new watch. When the re-arming itself is lost with a connection, it is done again, and a
 * change that fell into the gap is told as an event of its own.
 */

import { Deque } from '../core/base/deque.ts'
import type { Stat } from '../core/jute/data-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { AddWatchMode, EventType, KeeperState, WatcherType } from '../core/jute/event-type.ts'
import type { CallOptions } from './call.ts'
import { isZooKeeperError, toError, ZooKeeperError } from './errors.ts'
import { WATCH_STREAM_QUEUE_MAX } from './limits.ts'
import { callAtOnce, NO_ZXID, type WatchedEvent, type Watcher } from './watched-event.ts'

/**
 * data: changes and the deletion of a node that exists; ends after the deletion.
 * exists: also its creation, over and over.
 * children: changes of the list of children; ends after the deletion of the node.
 * persistent, recursive: see addWatch.
 */
export type WatchStreamKind = 'data' | 'exists' | 'children' | 'persistent' | 'recursive'

export interface WatchStreamOptions {
  readonly kind: WatchStreamKind
  /** Ends the stream: its reader gets the signal's reason as a rejection. */
  readonly signal?: AbortSignal
  /**
   * Also hand out Disconnected and SyncConnected. Default: for persistent and recursive, which get
   * no catch-up after a reconnect (N26).
   */
  readonly sessionEvents?: boolean
}

/** What a stream needs of the client. */
export interface WatchSource {
  exists(path: string, options: SourceOptions): Promise<Stat | null>
  getData(path: string, options: SourceOptions): Promise<{ readonly stat: Stat }>
  getChildren2(path: string, options: SourceOptions): Promise<{ readonly stat: Stat }>
  addWatch(path: string, mode: AddWatchMode, watcher: Watcher, o: CallOptions): Promise<void>
  removeWatches(
    path: string,
    watcher: Watcher,
    type: WatcherType,
    options: { readonly local: boolean },
  ): Promise<void>
  onSessionEvent(listener: Watcher): () => void
}

interface SourceOptions extends CallOptions {
  readonly watch: Watcher
}

interface Reader {
  readonly resolve: (result: IteratorResult<WatchedEvent, undefined>) => void
  readonly reject: (error: unknown) => void
}

const DONE: IteratorResult<WatchedEvent, undefined> = { done: true, value: undefined }
/** An arming waits for a connection as long as the session lives. */
const UNTIL_SESSION_ENDS = { unsentWaitMs: Infinity }

export class WatchStream implements AsyncIterableIterator<WatchedEvent>, AsyncDisposable {
  /** Resolves when the watch is set for the first time, rejects when it cannot be. */
  readonly armed: Promise<void>
  readonly #source: WatchSource
  readonly #path: string
  readonly #kind: WatchStreamKind
  readonly #isOneShot: boolean
  readonly #withSessionEvents: boolean
  readonly #watcher: Watcher = callAtOnce((event) => this.#onEvent(event))
  readonly #events = new Deque<WatchedEvent>()
  readonly #readers = new Deque<Reader>()
  readonly #stop: () => void
  /** Aborted at the end: an arming that still waits must not set a watch any more. */
  readonly #over = new AbortController()
  #isOver = false
  /** Handed out after the events that came before it. */
  #failure: { readonly error: Error } | null = null
  /** The node as the reader can know it: null while it is missing. */
  #known: { readonly zxid: bigint } | null = null

  constructor(source: WatchSource, path: string, options: WatchStreamOptions) {
    this.#source = source
    this.#path = path
    this.#kind = options.kind
    this.#isOneShot = options.kind !== 'persistent' && options.kind !== 'recursive'
    this.#withSessionEvents = options.sessionEvents ?? !this.#isOneShot
    const { signal } = options
    const unlisten = source.onSessionEvent(callAtOnce((event) => this.#onSessionEvent(event)))
    const onAbort = (): void => {
      this.#events.clear()
      this.#end({ error: toError(signal?.reason) })
    }
    this.#stop = () => {
      unlisten()
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    this.armed = this.#isOver ? Promise.reject(toError(signal?.reason)) : this.#arm(false)
    // Whoever only iterates learns of a failure there.
    this.armed.catch(() => {})
  }

  next(): Promise<IteratorResult<WatchedEvent, undefined>> {
    const event = this.#events.popFront()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#failure !== null) {
      const { error } = this.#failure
      this.#failure = null
      return Promise.reject(error)
    }
    if (this.#isOver) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => this.#readers.pushBack({ resolve, reject }))
  }

  async return(): Promise<IteratorResult<WatchedEvent, undefined>> {
    this.#events.clear()
    this.#end(null)
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #onEvent(event: WatchedEvent): void {
    if (this.#isOver || event.type === EventType.None) return
    const isDeleted = event.type === EventType.NodeDeleted
    const before = this.#known?.zxid ?? NO_ZXID
    this.#known = isDeleted ? null : { zxid: event.zxid > before ? event.zxid : before }
    if (this.#isOneShot && !(isDeleted && this.#kind !== 'exists')) void this.#rearm()
    this.#push(event)
    if (this.#isOneShot && isDeleted && this.#kind !== 'exists') this.#end(null)
  }

  #onSessionEvent(event: WatchedEvent): void {
    if (this.#isOver) return
    const { state } = event
    if (state === KeeperState.Expired || state === KeeperState.Closed) {
      return this.#fail(new ZooKeeperError(ErrorCode.SESSIONEXPIRED, { path: this.#path }))
    }
    if (state === KeeperState.AuthFailed) {
      return this.#fail(new ZooKeeperError(ErrorCode.AUTHFAILED, { path: this.#path }))
    }
    if (this.#withSessionEvents) this.#push(event)
  }

  async #rearm(): Promise<void> {
    // The reason is kept for the reader.
    await this.#arm(true).catch(() => {})
  }

  /** Sets the watch; again and again while connections are lost under it. */
  async #arm(wasArmed: boolean): Promise<void> {
    for (let isRepeat = false; !this.#isOver; isRepeat = true) {
      try {
        const stat = await this.#read()
        if (this.#isOneShot && !this.#isOver) this.#compare(stat, wasArmed && isRepeat)
        return
      } catch (error) {
        if (this.#isOver) throw error
        if (isZooKeeperError(error, ErrorCode.CONNECTIONLOSS)) continue
        if (wasArmed && isZooKeeperError(error, ErrorCode.NONODE)) {
          this.#missed(EventType.NodeDeleted, NO_ZXID)
          return this.#end(null)
        }
        this.#fail(error)
        throw error
      }
    }
  }

  /** The node's Stat; null when it is missing or the kind has none. */
  async #read(): Promise<Stat | null> {
    const waiting = { ...UNTIL_SESSION_ENDS, signal: this.#over.signal }
    const options = { ...waiting, watch: this.#watcher }
    switch (this.#kind) {
      case 'data':
        return (await this.#source.getData(this.#path, options)).stat
      case 'exists':
        return this.#source.exists(this.#path, options)
      case 'children':
        return (await this.#source.getChildren2(this.#path, options)).stat
      case 'persistent':
      case 'recursive': {
        const isRecursive = this.#kind === 'recursive'
        const mode = isRecursive ? AddWatchMode.PERSISTENT_RECURSIVE : AddWatchMode.PERSISTENT
        await this.#source.addWatch(this.#path, mode, this.#watcher, waiting)
        return null
      }
    }
  }

  /** With `tell`, what changed while no watch was set becomes an event. */
  #compare(stat: Stat | null, tell: boolean): void {
    const before = this.#known
    if (stat === null) {
      if (tell && before !== null) this.#missed(EventType.NodeDeleted, NO_ZXID)
      this.#known = null
      return
    }
    const zxid = this.#kind === 'children' ? stat.pzxid : stat.mzxid
    if (tell && before === null) this.#missed(EventType.NodeCreated, stat.czxid)
    else if (tell && before !== null && zxid > before.zxid) {
      const isChildren = this.#kind === 'children'
      this.#missed(isChildren ? EventType.NodeChildrenChanged : EventType.NodeDataChanged, zxid)
    }
    this.#known = { zxid }
  }

  #missed(type: EventType, zxid: bigint): void {
    this.#push({ type, state: KeeperState.SyncConnected, path: this.#path, zxid })
  }

  #push(event: WatchedEvent): void {
    const reader = this.#readers.popFront()
    if (reader !== undefined) return reader.resolve({ done: false, value: event })
    const last = this.#events.peekBack()
    // A one-shot watch says "look again": once is enough for a reader that has not looked yet.
    if (this.#isOneShot && last?.type === event.type && last.state === event.state) {
      this.#events.popBack()
    }
    if (this.#events.length >= WATCH_STREAM_QUEUE_MAX) {
      const detail = `${WATCH_STREAM_QUEUE_MAX} events wait for the reader of this stream`
      return this.#fail(new ZooKeeperError(ErrorCode.THROTTLEDOP, { path: this.#path, detail }))
    }
    this.#events.pushBack(event)
  }

  #fail(error: unknown): void {
    this.#end({ error: toError(error) })
  }

  #end(failure: { readonly error: Error } | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#over.abort(failure?.error)
    this.#stop()
    for (const reader of this.#readers) {
      if (failure === null) reader.resolve(DONE)
      else reader.reject(failure.error)
    }
    // The first reader has got it, the others were told too.
    if (this.#readers.length === 0) this.#failure = failure
    this.#readers.clear()
    const type = WATCHER_TYPES[this.#kind]
    // Nothing to remove is as good.
    this.#source.removeWatches(this.#path, this.#watcher, type, { local: true }).catch(() => {})
  }
}

const WATCHER_TYPES: Readonly<Record<WatchStreamKind, WatcherType>> = {
  data: WatcherType.Data,
  exists: WatcherType.Data,
  children: WatcherType.Children,
  persistent: WatcherType.Persistent,
  recursive: WatcherType.PersistentRecursive,
}
