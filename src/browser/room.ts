/** A room as an app uses it: join it by its link, open clients, leave. */
import type { Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import { ZooKeeperClient } from '../client/zookeeper-client.ts'
import type { ClientTransport } from '../client/transport.ts'
import { messageOf } from '../core/base/message-of.ts'
import type { CopyFacts } from '../core/server/ensemble-copy.ts'
import { parseRoomLink, type RoomLink } from '../signaling/room-link.ts'
import { abortable } from './abortable.ts'
import type { ClientStatus } from './client-tab.ts'
import type { Explanation } from './explanation.ts'
import { rewriteAddress, sharedLink } from './room-address.ts'
import { RoomError } from './room-error.ts'
import type {
  CreateRoomOptions,
  JoinAsClientOptions,
  JoinRoomOptions,
  OpenClientOptions,
  RoomOptions,
  RoomStatus,
} from './room-options.ts'
import { clientTab, memberTab, type OpenTab, type RoomTab } from './room-tabs.ts'
import type { ExplainOptions } from './tab-health.ts'
import { type TestedRoom, testingHook } from './testing-hook.ts'

/** Storage of a slow disk, a busy machine and the search of an identity fit in several times. */
const START_LIMIT_MS = 30_000

/**
 * As the terminal of the machine page: a crashed tab's ephemerals go while one looks on, and a
 * failover is an order of magnitude shorter.
 */
const SESSION_TIMEOUT_MS = 10_000

const NO_WORKER =
  "If its worker was not found, the bundler does not carry packages' workers: make one of " +
  "'zabra/worker' and pass it as the option `worker`."

/**
 * The link of a new room. Whoever opens it may join; nothing runs before somebody does. The first
 * members are found by this browser, so open one tab here.
 */
export async function createRoom(options: CreateRoomOptions = {}): Promise<string> {
  needPage()
  const { makeRoom } = await import('./create-room.ts')
  return makeRoom(options)
}

/**
 * Resolves as soon as this tab takes part; that the ensemble works is told by `status`, and waited
 * for by `openClient`. Rejects with a RoomError or a RoomLinkError that says what to do.
 */
export async function joinRoom(options?: JoinRoomOptions): Promise<Room>
export async function joinRoom(options: JoinAsClientOptions): Promise<Room<ClientStatus>>
export async function joinRoom(
  options: JoinRoomOptions | JoinAsClientOptions = {},
): Promise<Room | Room<ClientStatus>> {
  needPage()
  if (options.role === 'client') return Room.join(options, clientTab(options))
  return Room.join(options, memberTab(options))
}

/** What both kinds of status tell. */
type AnyStatus = Pick<RoomStatus, 'text' | 'creator' | 'cluster'>

export class Room<Status extends AnyStatus = RoomStatus> implements AsyncDisposable {
  readonly #options: RoomOptions<Status>
  readonly #address: URL
  readonly #link: RoomLink
  readonly #end = new AbortController()
  readonly #clients = new Set<ZooKeeperClient>()
  readonly #listeners = new Set<(status: Status) => void>()
  #tab: RoomTab | null = null
  #status: Status | null = null
  #onFirstStatus = (): void => {}
  readonly #firstStatus = new Promise<void>((resolve) => {
    this.#onFirstStatus = resolve
  })
  readonly #onPageHide = (): void => this.#pageHides()

  private constructor(options: RoomOptions<Status>) {
    this.#options = options
    this.#address = new URL(options.link ?? location.href, location.href)
    this.#link = parseRoomLink(this.#address)
    if (options.onStatus !== undefined) this.#listeners.add(options.onStatus)
  }

  /** Use `joinRoom`. */
  static async join<Status extends AnyStatus>(
    options: RoomOptions<Status>,
    open: OpenTab<Status>,
  ): Promise<Room<Status>> {
    options.signal?.throwIfAborted()
    const room = new Room(options)
    await room.#start(open)
    // A client's room differs in its status only.
    testingHook()?.onRoom(room as unknown as TestedRoom)
    return room
  }

  /** What to share. It names the ensemble as soon as there is one. */
  get link(): string {
    const { creator, cluster } = this.#status ?? this.#link
    return sharedLink(this.#address, {
      ...this.#link,
      creator: creator ?? this.#link.creator,
      cluster: cluster ?? this.#link.cluster,
    })
  }

  get status(): Status {
    // `joinRoom` has waited for the first one.
    return this.#status as Status
  }

  /** Which of this browser's machines this tab is, '' for a client; see the option `identity`. */
  get identity(): string {
    return this.#tab?.incarnation ?? ''
  }

  /** Aborts when the room is over for this tab; the reason is a RoomError. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  /** How this tab and its room are, why nothing commits, and what to do: JSON-able, no secrets. */
  explain(options?: ExplainOptions): Promise<Explanation> {
    return this.#started().explain(options)
  }

  /**
   * The connection doctor: every page of the room tries its links and reports. Says which pair
   * cannot connect and what would help. Settles within `limitMs` (15 s).
   */
  examine(options?: ExamineOptions): Promise<Examination> {
    return this.#started().examine(options)
  }

  /** Each status from now on. The result ends it. */
  onStatus(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * A session at the ensemble, this tab's member first. Waits until the ensemble serves, so do not
   * await it before there is a way to open the other tabs.
   */
  async openClient(options: OpenClientOptions = {}): Promise<ZooKeeperClient> {
    const { signal, timeoutMs, ...rest } = options
    this.#end.signal.throwIfAborted()
    const client = new ZooKeeperClient({
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      ...rest,
      transport: this.transport(),
    })
    const late = timeoutMs === undefined ? undefined : after(timeoutMs, () => this.#whyNotServed())
    try {
      await abortable(client.connected(), this.#end.signal, signal, late?.signal)
      this.#clients.add(client)
      client.onState((state) => {
        if (state === 'CLOSED' || state === 'AUTH_FAILED') this.#clients.delete(client)
      })
      return client
    } catch (error) {
      void client.close()
      throw error
    } finally {
      late?.cancel()
    }
  }

  /**
   * What this tab's member heard and asked for, as a file for `npm run replay`; null: none runs or
   * ran here. Unless `payloads`, what applications stored is masked; secrets always are.
   */
  async flightRecording(options: { readonly payloads?: boolean } = {}): Promise<Blob | null> {
    return (await this.#tab?.flightRecording?.(options)) ?? null
  }

  /**
   * What a new ensemble from this member's copy would have, and leave behind; null: there is no
   * member. Show it before `startNewEnsemble`.
   */
  async copyFacts(): Promise<CopyFacts | null> {
    return (await this.#tab?.copyFacts?.()) ?? null
  }

  /**
   * For a majority that is lost for good: the link of a new ensemble that begins with this member's
   * copy. Open it in this browser first: the founder is a new identity here. This room stays as it
   * is. What others acknowledged and this member has not seen is missing.
   */
  async startNewEnsemble(): Promise<string> {
    const link = await this.#started().startNewEnsemble?.()
    if (link === undefined) throw new RoomError('failed', 'A client has no copy to start from.')
    return sharedLink(this.#address, link)
  }

  /** A way to the ensemble, for a ZooKeeperClient of one's own. */
  transport(): ClientTransport {
    const transport = this.#started().transport()
    const way: ClientTransport = {
      ...(transport.pace === undefined ? {} : { pace: transport.pace }),
      hosts: () => (this.#end.signal.aborted ? [] : transport.hosts()),
      connect: (host, signal) => transport.connect(host, signal),
    }
    return testingHook()?.transportOf(way) ?? way
  }

  /** Closes the clients and leaves: peers see it at once. Settles within some seconds. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#over(new RoomError('closed', 'The room was left.'))
    await Promise.allSettled([...this.#clients].map((client) => client.close()))
    await this.#tab?.close()
  }

  /** A member ends without a word to anybody, as in a power cut. For tests and demonstrations. */
  crash(): void {
    if (this.#end.signal.aborted) return
    if (this.#tab?.crash === undefined) void this.#tab?.close()
    else this.#tab.crash()
    this.#over(new RoomError('crashed', 'This tab was made to crash.'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(open: OpenTab<Status>): Promise<void> {
    const { signal, timeoutMs = START_LIMIT_MS } = this.#options
    const late = after(timeoutMs, () => {
      const waited = `This tab did not start within ${timeoutMs / 1000} s.`
      return new RoomError('timeout', `${waited} ${NO_WORKER}`)
    })
    // Before the tab's own listener: a session can be closed while there are connections.
    addEventListener('pagehide', this.#onPageHide)
    try {
      // The tab's own signal is for its start only: `close` has to close the clients first.
      const starting = joined(late.signal, signal)
      this.#tab = await open({
        link: this.#link,
        address: this.#address,
        signal: starting.signal,
        onStatus: (status) => this.#onStatus(status),
        onFailed: (reason) => this.#over(this.#failure(reason)),
      })
      starting.release()
      await abortable(this.#firstStatus, late.signal, signal, this.#end.signal)
    } catch (error) {
      // A link's error, a signal's reason and the like are thrown as they are.
      const reason = this.#end.signal.aborted ? (this.#end.signal.reason as RoomError) : null
      this.#over(toRoomError(error))
      await this.#tab?.close()
      throw reason ?? error
    } finally {
      late.cancel()
    }
    signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  #started(): RoomTab {
    if (this.#tab === null) throw new RoomError('failed', 'This tab has not started.')
    return this.#tab
  }

  #onStatus(status: Status): void {
    const before = this.#status === null ? this.#address.href : this.link
    this.#status = status
    this.#onFirstStatus()
    if (this.#options.link === undefined && status.cluster !== null) {
      rewriteAddress(before, this.link)
    }
    for (const listener of [...this.#listeners]) listener(status)
  }

  #failure(reason: string): RoomError {
    const sentence = reason.endsWith('.') ? reason : `${reason}.`
    return new RoomError('failed', this.#tab === null ? `${sentence} ${NO_WORKER}` : sentence)
  }

  #whyNotServed(): RoomError {
    return new RoomError('timeout', `The ensemble does not serve yet: ${this.status.text}`)
  }

  /** Synchronous, nothing awaited: what is posted to the worker now may just get out. */
  #pageHides(): void {
    this.#over(new RoomError('closed', 'The page was left.'))
    if (!(this.#options.closeSessionsOnLeave ?? true)) return
    for (const client of this.#clients) void client.close()
  }

  #over(reason: RoomError): void {
    removeEventListener('pagehide', this.#onPageHide)
    this.#end.abort(reason)
  }
}

function needPage(): void {
  if (typeof document !== 'undefined') return
  throw new RoomError('unsupported', 'A room is joined from a page: there is no document here.')
}

/** `release`: what aborts later is none of its business any more. */
function joined(...signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal
  readonly release: () => void
} {
  const joint = new AbortController()
  const released = new AbortController()
  for (const signal of signals) {
    const onAbort = (): void => joint.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true, signal: released.signal })
  }
  return { signal: joint.signal, release: () => released.abort() }
}

function after(
  limitMs: number,
  reason: () => Error,
): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(reason()), limitMs)
  return { signal: over.signal, cancel: () => clearTimeout(timer) }
}

function toRoomError(error: unknown): RoomError {
  if (error instanceof RoomError) return error
  const message = messageOf(error)
  return new RoomError('failed', message, { cause: error })
}
