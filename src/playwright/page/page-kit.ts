/**
 * The kit's part of a page. It runs before the app's code: finds the rooms that the app joins,
 * tells the test what happens in them, and does there what the test asks for.
 */
import * as Comlink from 'comlink'
import { installTestingHook, type TestedRoom } from '../../browser/testing-hook.ts'
import type { ZooKeeperError } from '../../client/errors.ts'
import type { ZooKeeperClient } from '../../client/zookeeper-client.ts'
import {
  FAULT_PORT,
  type FaultControl,
  type FaultGreeting,
  type MemberFaults,
} from '../../faults/member-faults.ts'
import { toBase64 } from '../../core/base/bytes.ts'
import { eventTypeName } from '../../core/jute/event-type.ts'
import {
  ASK_FAULTS,
  type ClientAnswer,
  type ClientRequest,
  type FrameNews,
  KIT_NAME,
  type PageSettings,
  TELL,
} from './page-news.ts'
import {
  blockDatabase,
  databaseOf,
  deleteDatabase,
  type LogKey,
  logValues,
  tearLog,
} from './member-database.ts'
import { endSession } from './end-session.ts'
import { NewsQueue } from './news-queue.ts'
import { newsToText } from './news-text.ts'
import { recordedTransport } from './recorded-transport.ts'

const MEMBER_WORKER_NAME = 'zabra member'

interface Bindings {
  /** See news-text.ts. */
  readonly [TELL]: (news: string) => Promise<void>
  readonly [ASK_FAULTS]: () => Promise<MemberFaults>
}

export class PageKit {
  readonly #settings: PageSettings
  #room: TestedRoom | null = null
  readonly #news = new NewsQueue({
    // The page may be leaving, and the test over.
    send: async (news) =>
      bindings()
        [TELL]?.(newsToText(news))
        .catch(() => {}),
    after: (delayMs, run) => void setTimeout(run, delayMs),
  })
  #control: Comlink.Remote<FaultControl> | null = null
  #handles = 0
  #unblock: (() => Promise<void>) | null = null
  readonly #clients = new Map<string, ZooKeeperClient>()
  readonly #heard = new Map<string, string[]>()
  /** Of a machine that was here before; set by the test before the app's code runs. */
  identity: string | null = null

  constructor(settings: PageSettings) {
    this.#settings = settings
  }

  start(): void {
    // Told through the getter: the test may say later who this page is.
    const identity = (): string | null => this.identity
    installTestingHook({
      signaling: this.#settings.signaling,
      get identity() {
        return identity()
      },
      onRoom: (room) => this.#onRoom(room),
      onTrace: (event, atMs) => {
        this.#news.tellSoon({ kind: 'trace', trace: { ...event, at: atMs } })
      },
      transportOf: (transport) =>
        recordedTransport(transport, {
          nextClient: () => ++this.#handles,
          ownServer: () => this.#room?.status.sid ?? 0,
          tell: (news) => this.#tellFrame(news),
        }),
    })
    if (this.#settings.workerPath !== null) this.#replaceWorkers(this.#settings.workerPath)
    this.#news.tell({ kind: 'begun' })
    addEventListener('pagehide', () => this.flush())
  }

  /** What waits to be told, is. */
  flush(): void {
    void this.#news.flush()
  }

  /**
   * A request before its member has it: one that nobody knows of would be a write out of nowhere.
   * And its answer at once: it is a promise, which a page that dies now has made all the same.
   */
  #tellFrame(news: FrameNews): void {
    if (news.kind === 'sent' || news.kind === 'received') this.#news.tell(news)
    else this.#news.tellSoon(news)
  }

  async setFaults(faults: MemberFaults): Promise<void> {
    await this.#control?.set(faults)
  }

  /** Resolves when the test was told how the machine of this page is now. */
  async refresh(): Promise<void> {
    if (this.#control !== null) {
      await this.#control.refresh()
      // The worker's word came by another port, whose turn is in a task of its own.
      await new Promise((resolve) => setTimeout(resolve))
    } else await this.#twoMoreStatus()
    await this.#news.flush()
  }

  /** The second one left the machine after the first had come. */
  async #twoMoreStatus(): Promise<void> {
    const room = this.#joined()
    for (let i = 0; i < 2; i++) {
      await new Promise<void>((resolve) => {
        const stop = room.onStatus(() => {
          stop()
          resolve()
        })
      })
    }
  }

  /** Null before the app has joined a room. */
  get room(): TestedRoom | null {
    return this.#room
  }

  async openClient(key: string, sessionTimeoutMs: number): Promise<void> {
    const heard: string[] = []
    this.#heard.set(key, heard)
    const client = await this.#joined().openClient({
      sessionTimeoutMs,
      watcher: ({ type, path }) => {
        if (path !== null) heard.push(`${eventTypeName(type)} ${path}`)
      },
    })
    client.onState((state) => heard.push(state))
    this.#clients.set(key, client)
  }

  /** Settles as the call does; what is no error of ZooKeeper's is the test's own. */
  async call({ key, method, args }: ClientRequest): Promise<ClientAnswer> {
    const client = this.client(key)
    try {
      const calls = client as unknown as Record<string, (...all: unknown[]) => Promise<unknown>>
      return { kind: 'value', value: await calls[method]?.(...args) }
    } catch (error) {
      // Of the app's own copy of the client, so no class of this script is theirs.
      const { code, path, outcomeUnknown } = error as Partial<ZooKeeperError>
      if (code === undefined || path === undefined || outcomeUnknown === undefined) throw error
      return { kind: 'error', code, path, outcomeUnknown }
    }
  }

  ask(key: string, path: string): void {
    const heard = this.#heard.get(key)
    this.client(key)
      .getData(path)
      .then(
        ({ data }) => heard?.push(`read ${new TextDecoder().decode(data ?? new Uint8Array(0))}`),
        (error: unknown) => heard?.push(`failed ${error instanceof Error ? error.message : '?'}`),
      )
  }

  heard(key: string): readonly string[] {
    return this.#heard.get(key) ?? []
  }

  session(key: string): { readonly id: bigint; readonly password: Uint8Array } {
    const { sessionId, sessionPassword } = this.client(key)
    return { id: sessionId, password: sessionPassword }
  }

  client(key: string): ZooKeeperClient {
    const client = this.#clients.get(key)
    if (client === undefined) throw new Error(`no client ${key} in this life of the page`)
    return client
  }

  async flight(): Promise<string | null> {
    const file = await this.#room?.flightRecording({ payloads: true })
    if (file === null || file === undefined) return null
    return toBase64(new Uint8Array(await file.arrayBuffer()))
  }

  async openAndCloseSession(): Promise<void> {
    await using _client = await this.#joined().openClient()
  }

  /** Ends the session for everybody, as its time-out would. */
  async endSession(id: bigint, password: Uint8Array): Promise<void> {
    await endSession(this.#joined().transport(), { id, password })
  }

  async deleteDatabase(identity: string): Promise<void> {
    await deleteDatabase(await databaseOf(identity))
  }

  /** The newest value of the log, cut in the middle. */
  async tearLog(identity: string): Promise<void> {
    await tearLog(await databaseOf(identity))
  }

  async blockDatabase(identity: string): Promise<void> {
    this.#unblock = await blockDatabase(await databaseOf(identity))
  }

  async unblockDatabase(): Promise<void> {
    await this.#unblock?.()
  }

  /** The values of the log in order, as base64; from the one on that holds `after`. */
  async logValues(identity: string, after: LogKey | null): Promise<string[]> {
    return (await logValues(await databaseOf(identity), after)).map(toBase64)
  }

  #joined(): TestedRoom {
    if (this.#room === null) throw new Error('this page has joined no room')
    return this.#room
  }

  #onRoom(room: TestedRoom): void {
    this.#room = room
    const tellStatus = (): void => {
      const { status, link, identity } = room
      this.#news.tellStatus({ kind: 'status', status, link, identity })
    }
    tellStatus()
    room.onStatus(tellStatus)
    room.ended.addEventListener('abort', () => {
      this.#news.tell({ kind: 'ended', reason: String(room.ended.reason) })
    })
  }

  /** The same machine, with ports that can be hurt. */
  #replaceWorkers(path: string): void {
    const pattern = new RegExp(this.#settings.workerPattern)
    const { seed } = this.#settings
    const greet = (worker: Worker): void => this.#greet(worker, seed)
    const Original = Worker
    window.Worker = class extends Original {
      constructor(url: string | URL, options: WorkerOptions = {}) {
        const isMember = options.name === MEMBER_WORKER_NAME || pattern.test(String(url))
        if (!isMember) {
          super(url, options)
          return
        }
        super(new URL(path, location.origin), { ...options, type: 'module' })
        greet(this)
      }
    }
  }

  #greet(worker: Worker, seed: string): void {
    const { port1, port2 } = new MessageChannel()
    const greeting: FaultGreeting = { port: port2, seed }
    worker.postMessage({ [FAULT_PORT]: greeting }, [port2])
    const control = Comlink.wrap<FaultControl>(port1)
    this.#control = control
    void bindings()
      [ASK_FAULTS]?.()
      .then((faults) => control.set(faults))
  }
}

function bindings(): Partial<Bindings> {
  return window as Partial<Bindings>
}

/** Called by the script that Playwright puts into every page. */
export function startPageKit(settings: PageSettings): void {
  if (window !== window.top) return
  // What a page opens begins empty, and its window is kept when the opener's own site follows.
  const isOpened = location.href === 'about:blank' && window.opener !== null
  if (!isOpened && !/^https?:$/.test(location.protocol)) return
  const kit = new PageKit(settings)
  Object.assign(window, { [Symbol.for(KIT_NAME)]: kit })
  kit.start()
}
