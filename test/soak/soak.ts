/**
 * An ensemble of real tabs under faults and load for as long as it takes. It goes on in parts: a
 * minute of faults, then everything heals, comes to rest and is judged, and what was judged is
 * forgotten, so that an hour needs no more memory than a minute. A room gives place to another one
 * when a machine of it has lost its storage, or is old.
 */
import { Prng } from '../../src/core/base/prng.ts'
import type { Violation } from '../../src/history/history-events.ts'
import { judgeHistory } from '../../src/history/judge-history.ts'
import type { Recording } from '../../src/history/recording.ts'
import { flightOf } from '../../src/playwright/attachments.ts'
import { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { Ensemble } from '../../src/playwright/ensemble.ts'
import { Site } from '../../src/playwright/site.ts'
import { FaultLoop } from './fault-loop.ts'
import { Load } from './load.ts'
import { Totals, type PartTold } from './totals.ts'

/**
 * After the last fault. Far above what it takes (told in each line), which is bounded by the
 * longest session and the longest backoff of a link; a machine of two cores is busy meanwhile.
 */
const BACK_LIMIT_MS = 60_000
const SETTLE_LIMIT_MS = 45_000
/** Then a new one: founding is worth a look too, and browsers grow. */
const PARTS_PER_ROOM = 6
/** A page that does not answer, as a crashed one, has no more than this. */
const ANSWER_LIMIT_MS = 5_000

export interface SoakOptions {
  readonly seed: number
  readonly tabs: number
  readonly browsers: number
  readonly sessions: number
  readonly partMs: number
  readonly only: readonly string[] | null
  readonly headless: boolean
  readonly signal: AbortSignal
  /** Each part, as soon as it is judged. */
  readonly onPart: (told: PartTold) => void
  readonly onFault: (what: string) => void
}

export interface SoakEnd {
  /** ms since 1970. */
  readonly untilMs?: number
  readonly parts?: number
}

export interface SoakFailure {
  readonly part: number
  readonly what: string
  readonly violations: readonly Violation[]
  readonly recording: Recording
  /** By file name: what every machine had heard. */
  readonly flights: ReadonlyMap<string, Uint8Array>
}

interface Room {
  readonly ensemble: Ensemble
  readonly browsers: readonly BrowserProcess[]
  readonly pageErrors: string[]
  parts: number
  wiped: number
}

export class Soak {
  readonly totals: Totals = new Totals()
  readonly #options: SoakOptions
  readonly #prng: Prng
  readonly #site = new Site()
  readonly #broker = new Site()
  #room: Room | null = null

  constructor(options: SoakOptions) {
    this.#options = options
    this.#prng = new Prng(options.seed)
  }

  /** Until then, or the signal, or the first failure, which is the result. */
  async run({ untilMs = Infinity, parts = Infinity }: SoakEnd): Promise<SoakFailure | null> {
    const { signal } = this.#options
    await this.#site.start()
    await this.#broker.start()
    try {
      for (let part = 1; part <= parts && Date.now() < untilMs && !signal.aborted; part++) {
        const failure = await this.#part(part, untilMs)
        if (failure !== null) return failure
      }
      return null
    } finally {
      await this.#closeRoom()
      await this.#broker.stop()
      await this.#site.stop()
    }
  }

  async #part(part: number, untilMs: number): Promise<SoakFailure | null> {
    const { partMs, sessions, only, signal, onPart, onFault } = this.#options
    const room = await this.#roomFor(part)
    const { ensemble } = room
    const prng = this.#prng.fork(`part ${part}`)
    const load = new Load(ensemble, prng.fork('load'), sessions)
    const faults = new FaultLoop({
      ...{ room: ensemble, load, broker: this.#broker, signal, only, wiped: room.wiped },
      ...{ prng: prng.fork('faults'), onFault },
    })
    try {
      await faults.run(Math.min(untilMs, Date.now() + partMs))
      room.wiped = faults.wiped
      room.parts++
      await whole(ensemble)
      const backAfterMs = Date.now() - faults.healedMs
      onFault('whole')
      await load.stop(SETTLE_LIMIT_MS)
      await ensemble.waitForQuiet({ timeoutMs: BACK_LIMIT_MS })
      onFault('at rest')
      const recording = await ensemble.recording(this.#title(part))
      const { violations, checks, operations, after } = judgeHistory(recording)
      const told = { part, counts: faults.counts, operations, checks, backAfterMs, load }
      this.totals.add(told)
      onPart(told)
      const what = violations[0]?.what ?? whatElse(ensemble, room, recording)
      if (what !== null) return await this.#failure(part, what, recording, violations)
      if (after !== null) ensemble.beginPart(after)
      return null
    } catch (error) {
      const recording = ensemble.recordingSoFar(this.#title(part))
      const { violations } = judgeHistory(recording)
      return await this.#failure(part, wordsOf(error), recording, violations)
    } finally {
      // Else they try for ever to open sessions in tabs that are gone, and the program never ends.
      load.abandon()
    }
  }

  #title(part: number): string {
    return `Soak of seed ${this.#options.seed}, part ${part}`
  }

  async #roomFor(part: number): Promise<Room> {
    const known = this.#room
    if (known !== null && known.parts < PARTS_PER_ROOM && known.wiped === 0) return known
    await this.#closeRoom()
    const { tabs, headless } = this.#options
    const seed = `${this.#options.seed} ${part}`
    const browsers: BrowserProcess[] = []
    const pageErrors: string[] = []
    for (let i = 0; i < this.#options.browsers; i++) {
      const browser = await BrowserProcess.create({
        ...{ headless, closesOnSignals: false, seed: `${seed} ${i}` },
        signaling: this.#broker.signaling,
      })
      browsers.push(browser)
      const context = await browser.context()
      context.on('weberror', (said) => pageErrors.push(said.error().message))
      // With its last tab a browser would go.
      await browser.newPage()
    }
    const url = this.#site.room(`&size=${tabs}`)
    const ensemble = await Ensemble.open({ url, browsers, voters: tabs, observers: 0, seed })
    this.#room = { ensemble, browsers, pageErrors, parts: 0, wiped: 0 }
    return this.#room
  }

  async #closeRoom(): Promise<void> {
    const browsers = this.#room?.browsers ?? []
    this.#room = null
    for (const browser of browsers) await browser.remove()
  }

  async #failure(
    part: number,
    what: string,
    recording: Recording,
    violations: readonly Violation[],
  ): Promise<SoakFailure> {
    const flights = new Map<string, Uint8Array>()
    for (const member of this.#room?.ensemble.alive ?? []) {
      const limit = new Promise<null>((resolve) => setTimeout(resolve, ANSWER_LIMIT_MS, null))
      const flight = await Promise.race([flightOf(member.page).catch(() => null), limit])
      if (flight !== null) flights.set(`machine-${member.number}.zabra-flight`, flight)
    }
    return { part, what, violations, recording, flights }
  }
}

/** By what members say now, not half a second ago. */
async function whole(ensemble: Ensemble): Promise<void> {
  const untilMs = Date.now() + BACK_LIMIT_MS
  const refresh = async (): Promise<void> => {
    await Promise.all(ensemble.alive.map((member) => member.refresh()))
  }
  do {
    await refresh()
    await ensemble.waitForWhole({ timeoutMs: Math.max(0, untilMs - Date.now()) })
    await refresh()
  } while (!isWhole(ensemble))
}

function isWhole({ alive }: Ensemble): boolean {
  return alive.every(({ status }) => status?.member?.serving === true)
}

/** What no history shows. */
function whatElse(ensemble: Ensemble, room: Room, recording: Recording): string | null {
  if (recording.log === null) return 'no member has all of the log, so nothing can be judged'
  const wrong = ensemble.alive.find(({ status }) => (status?.member?.digestMismatches ?? 0) > 0)
  if (wrong !== undefined) return `the tree of member ${wrong.number} is not what it should be`
  const [error] = room.pageErrors
  return error === undefined ? null : `an error in a page: ${error}`
}

/** Without the log of a browser, which Playwright may put below. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0] ?? text
}
