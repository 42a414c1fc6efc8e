/** The scenario on the page of a machine: its card, its tab, and this machine between them. */
import type { Room } from '../../src/browser/room.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import type { WorkerStatus } from '../../worker/protocol.ts'
import type { Place } from './casting.ts'
import { Pace } from './pace.ts'
import { ScenarioPanel } from './scenario-panel.ts'
import { ScenarioTab } from './scenario-tab.ts'

/** The shortest that is far above a failover and a busy page: a dead master is soon replaced. */
const SESSION_TIMEOUT_MS = 6_000

export class PageScenario {
  readonly #panel: ScenarioPanel
  readonly #place: Promise<Place>
  /** null once it is known. */
  #settlePlace: ((place: Place) => void) | null = null
  #tab: ScenarioTab | null = null

  constructor(card: HTMLElement) {
    this.#panel = new ScenarioPanel(card)
    this.#place = new Promise((resolve) => {
      this.#settlePlace = resolve
    })
  }

  /** Until `end`; the first session is opened when it is known which machine this is. */
  start(room: Room): void {
    const tab = new ScenarioTab({
      openClient: () =>
        new ZooKeeperClient({
          transport: room.transport(),
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
        }),
      place: this.#place,
      view: this.#panel,
      pace: new Pace(),
      newRunId: () => crypto.randomUUID(),
      wait,
    })
    this.#tab = tab
    this.#panel.wire({
      onRun: () => void tab.run(),
      onStop: () => void tab.stop(),
      onPause: (pauseMs) => void tab.setPause(pauseMs),
    })
    void tab.live()
  }

  onStatus(status: WorkerStatus): void {
    const { phase, sid, voters, size, incarnation, member } = status
    const isSettled = phase !== 'starting' && phase !== 'waiting' && phase !== 'failed'
    if (this.#settlePlace === null || !isSettled || voters.length === 0 || incarnation === null)
      return
    const isVoter = sid !== null && voters.includes(sid)
    // Its own server is about to start: sessions made now would be elsewhere, and stay there.
    if (isVoter && member === null) return
    const place: Place = { sid: isVoter ? sid : null, size, incarnation }
    this.#panel.showPlace(place)
    this.#settlePlace(place)
    this.#settlePlace = null
  }

  end(): void {
    this.#tab?.end()
    this.#panel.over()
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
