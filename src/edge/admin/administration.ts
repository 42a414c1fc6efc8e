/**
 * The administrator's side of one server: taps that measure, and what is told of it by four-letter
 * words, admin commands, metrics and logs. It outlives the members that a server runs in turn, and
 * none of it is needed to serve.
 */
import type { TraceEvent } from '../../core/zab/effect.ts'
import { toZxid } from '../../core/base/zxid.ts'
import type { Moment } from '../../core/zab/effect.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import type { Storage } from '../../ports/storage.ts'
import type { ServerSettings } from '../settings.ts'
import type { AdministeredServer } from './administered-server.ts'
import type { Metric } from './metric.ts'
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
  }
  readonly #settings: ServerSettings
  readonly #now: () => Moment
  readonly #words: ReadonlySet<string>

  constructor({ settings, now }: AdministrationOptions) {
    this.#settings = settings
    this.#now = now
    const elapsed = (): number => now().elapsedMs
    const { largeRequestBytes, wordsAllowed, readOnlyModeEnabled } = settings
    const traffic = new Traffic({ largeRequestBytes, slowRequestMs: SLOW_REQUEST_MS }, elapsed)
    const history = new RoleHistory(elapsed())
    const figures = { traffic, storage: new StorageFigures(), history }
    this.view = new ServerView({ settings, figures, now })
    this.metrics = serverMetrics({ view: this.view, admin: this.counts })
    this.#words = allowedWords(wordsAllowed, readOnlyModeEnabled)
  }

  /** From now on this is told; null: nothing runs. */
  administer(server: AdministeredServer | null): void {
    this.view.administered = server
  }

  /** The channel to serve in place of a client's. */
  tapClient(channel: ClientChannel, address: string, port: number): ClientChannel {
    return this.view.figures.traffic.tap(channel, address, port, this.#now().wallMs)
  }

  /** The storage to give a member in place of this one. */
  tapStorage(storage: Storage): Storage {
    const { storage: figures, history } = this.view.figures
    return tapStorage({
      storage,
      figures,
      now: () => this.#now().elapsedMs,
      wallNow: () => this.#now().wallMs,
      slowSyncMs: this.#settings.slowSyncMs,
      onSlowSync: () => undefined,
      onSnapshot: () => undefined,
      onEntry: () => history.proposed(),
    })
  }

  /** A connection was refused for a limit of the client port. */
  refused(_address: string, _reason: string): void {
    this.view.figures.traffic.rejected++
  }

  onTrace(event: TraceEvent): void {
    if (event.type === 'role') this.#countApplied()
    this.view.figures.history.see(event, this.#now().elapsedMs)
  }

  /** Null: it is no word. Never throws. */
  answerWord(word: string, asker: Asker, rest: Uint8Array = new Uint8Array(0)): string | null {
    this.refresh()
    const { view, metrics, traceMask } = this
    return answerWord(word, this.#words, { view, metrics, traceMask, asker, rest })
  }

  /** Before figures are read. */
  refresh(): void {
    this.view.figures.traffic.endRun()
    this.#countApplied()
  }

  #countApplied(): void {
    const zxid = this.view.administered?.server.tree.lastProcessed
    if (zxid !== undefined) this.view.figures.history.applied(toZxid(zxid))
  }
}
