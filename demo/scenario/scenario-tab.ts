/**
 * The part of one tab in the scenario. It has a session of its own, apart from the terminal's, by
 * which it hears of a run that begins in any tab, and with which its programs play.
 *
 * One session for all that a tab does, so all that a tab has on stage ends at one moment: close the
 * session, or let it expire, and no ephemeral, no watch and no late write of this tab is left.
 */
import { messageOf } from '../../src/core/base/message-of.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { untilAnswered } from './careful-calls.ts'
import { nameOf, rolesOf, type Place, type Role } from './casting.ts'
import { ChangeBell } from './change-bell.ts'
import { letFirstMachineGoFirst } from './first-turn.ts'
import { runClient, type ClientResult } from './client.ts'
import { runMaster } from './master.ts'
import type { Pace } from './pace.ts'
import type { Program, Stage } from './program.ts'
import { clearRun, readRun, startRun, stopRun, type StoredRun } from './run-record.ts'
import { FINISHED, PACE, TABS } from './scenario-paths.ts'
import type { ScenarioView } from './scenario-view.ts'
import { runWorker } from './worker.ts'

export interface ScenarioTabOptions {
  /** A new handle with a session of its own. */
  readonly openClient: () => ZooKeeperClient
  /** Resolves when it is known which machine this is. */
  readonly place: Promise<Place>
  readonly view: ScenarioView
  readonly pace: Pace
  readonly newRunId: () => string
  /** Rejects with the signal's reason. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

const COMMAND = 'cmd'
/** Before another try after an error that should not be, so that it cannot spin. Ours. */
const STUMBLE_PAUSE_MS = 1_000

export class ScenarioTab {
  readonly #options: ScenarioTabOptions
  readonly #end = new AbortController()
  #client: ZooKeeperClient | null = null
  /** The run that was going on when this tab looked for the first time. */
  #foundRun: string | null = null
  #hasLooked = false
  /** The run whose steps the page shows. */
  #shownRun = ''

  constructor(options: ScenarioTabOptions) {
    this.#options = options
  }

  /** Until `end`. */
  async live(): Promise<void> {
    const { signal } = this.#end
    const { view } = this.#options
    view.state({ kind: 'connecting' })
    await Promise.race([this.#options.place, untilAborted(signal)]).catch(() => {})
    while (!signal.aborted) {
      view.state({ kind: 'connecting' })
      const client = this.#options.openClient()
      try {
        await client.connected(signal)
        this.#client = client
        await this.#follow(client, signal)
      } catch (error) {
        if (signal.aborted) return
        if (isZooKeeperError(error, ErrorCode.SESSIONEXPIRED)) {
          view.say('The session of this tab has expired: it goes on with another.')
        } else {
          view.say(`The scenario stumbled: ${error instanceof Error ? error.message : 'unknown'}`)
          await this.#options.wait(STUMBLE_PAUSE_MS, signal).catch(() => {})
        }
      } finally {
        this.#client = null
        // Not waited for when the tab ends: its machine may be gone, and then nobody answers.
        const closed = client.close()
        if (!signal.aborted) await closed
      }
    }
  }

  /** Ends all programs of this tab at once, without a word to anybody. */
  end(): void {
    this.#end.abort(new Error('this machine does not run'))
  }

  /** The button: begins a run, or the next one after clearing this one. */
  async run(): Promise<void> {
    const { view, newRunId, pace } = this.#options
    await this.#ask(async (client, signal) => {
      const result = await startRun(client, newRunId(), pace.pauseMs, signal)
      if (result.kind === 'running already') await stopRun(client, newRunId(), signal)
      if (result.kind !== 'refused') return
      const paths = result.paths.join(', ')
      const exist = result.paths.length === 1 ? 'exists' : 'exist'
      view.say(
        `${paths} ${exist} already, and not from a scenario. It needs these names for itself: ` +
          `remove ${result.paths.length === 1 ? 'it' : 'them'} first, with deleteall.`,
      )
    })
  }

  async stop(): Promise<void> {
    await this.#ask((client, signal) => stopRun(client, null, signal))
  }

  /** For all tabs. */
  async setPause(pauseMs: number): Promise<void> {
    const { pace } = this.#options
    pace.set(pauseMs)
    const client = this.#client
    if (client === null) return
    try {
      await untilAnswered(() =>
        client.setData(PACE, String(pace.pauseMs), -1, { signal: this.#end.signal }),
      )
    } catch (error) {
      // No run now: the next one begins with it.
      if (!isZooKeeperError(error) && !this.#end.signal.aborted) throw error
    }
  }

  async #ask(call: (client: ZooKeeperClient, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { view } = this.#options
    const client = this.#client
    if (client === null) return view.say('Not yet: this tab has no session with the ensemble.')
    view.say(null)
    try {
      await call(client, this.#end.signal)
    } catch (error) {
      if (this.#end.signal.aborted) return
      view.say(`That failed: ${messageOf(error)}`)
    }
  }

  /** Goes with the run as its record tells, until this session has done its part. */
  async #follow(client: ZooKeeperClient, signal: AbortSignal): Promise<void> {
    const { view, pace } = this.#options
    const bell = new ChangeBell()
    for (;;) {
      const found = await readRun(client, bell.watcher, signal)
      if (!this.#hasLooked) this.#foundRun = found?.record.run ?? null
      this.#hasLooked = true
      if (found === null) {
        if (this.#shownRun !== '') view.clear()
        this.#shownRun = ''
        view.state({ kind: 'idle' })
        await bell.heard(signal)
      } else if (found.record.state === 'stopping') {
        view.state({ kind: 'stopping', again: found.record.next !== null })
        await clearRun(client, found, pace.pauseMs, signal)
      } else {
        return this.#takePart(client, found, signal)
      }
    }
  }

  /** Plays until the run ends. The caller closes the session, and with it all that we made. */
  async #takePart(client: ZooKeeperClient, found: StoredRun, signal: AbortSignal): Promise<void> {
    const place = await this.#options.place
    const { view } = this.#options
    const { run } = found.record
    if (this.#shownRun !== run) view.clear()
    this.#shownRun = run
    const ending = new AbortController()
    const playing = AbortSignal.any([signal, ending.signal])
    const cameBack = this.#foundRun === run
    const roles = rolesOf(place, cameBack)
    view.state({ kind: 'running', roles, sessionId: client.sessionId })
    try {
      if (!(await this.#enter(client, place, playing))) return
      await Promise.race([
        untilRunEnds(client, found, playing),
        this.#followPace(client, playing),
        this.#untilFinished(client, playing),
        ...roles.map((role) => this.#play(role, client, place, cameBack, playing)),
      ])
    } finally {
      ending.abort(new Error('the run has ended'))
    }
  }

  /** A name per session, so that no former life of this tab stands in its way. False: too late. */
  async #enter(client: ZooKeeperClient, place: Place, signal: AbortSignal): Promise<boolean> {
    const name = `machine${place.sid ?? place.incarnation.slice(0, 6)}-${client.sessionId}`
    const options = { mode: CreateMode.EPHEMERAL, signal }
    try {
      await untilAnswered(() => client.create(`${TABS}/${name}`, '', options))
    } catch (error) {
      if (isZooKeeperError(error, ErrorCode.NONODE)) return false
      if (!isZooKeeperError(error, ErrorCode.NODEEXISTS)) throw error
    }
    return true
  }

  /** Never resolves: a program that has done its part leaves the stage to the others. */
  async #play(
    role: Role,
    client: ZooKeeperClient,
    place: Place,
    cameBack: boolean,
    signal: AbortSignal,
  ): Promise<never> {
    const stage = this.#stageOf(role, client, signal)
    const program: Program = { client, stage, name: nameOf(role, place), signal }
    if (role === 'master') {
      const isBackup = place.sid === 2 && !cameBack
      if (isBackup) await letFirstMachineGoFirst(client, this.#options.wait, signal)
      return runMaster(program)
    }
    if (role === 'worker') return runWorker({ ...program, execute: async () => {} })
    const result = await runClient(program, COMMAND)
    if (result !== null) await finish(client, result, signal)
    return untilAborted(signal)
  }

  #stageOf(role: Role, client: ZooKeeperClient, signal: AbortSignal): Stage {
    const { view, pace } = this.#options
    return {
      step: async (text, path) => {
        signal.throwIfAborted()
        view.step({ role, text, path: path ?? null, sessionId: client.sessionId })
        await pace.pass(signal)
      },
      outcome: (text) => {
        if (!signal.aborted) view.outcome(role, text)
      },
    }
  }

  async #followPace(client: ZooKeeperClient, signal: AbortSignal): Promise<never> {
    const { view, pace } = this.#options
    for await (const pauseMs of values(client, PACE, signal)) {
      pace.set(Number(pauseMs))
      view.pace(pace.pauseMs)
    }
    return untilAborted(signal)
  }

  async #untilFinished(client: ZooKeeperClient, signal: AbortSignal): Promise<never> {
    for await (const text of values(client, FINISHED, signal)) {
      this.#options.view.state({ kind: 'finished', text })
    }
    return untilAborted(signal)
  }
}

async function finish(
  client: ZooKeeperClient,
  { task, status }: ClientResult,
  signal: AbortSignal,
): Promise<void> {
  try {
    const text = `The status of ${task} is “${status}”.`
    await untilAnswered(() => client.create(FINISHED, text, { signal }))
  } catch (error) {
    // Said before by an earlier life of this client, or the run is being cleared.
    if (!isZooKeeperError(error)) throw error
  }
}

async function untilRunEnds(
  client: ZooKeeperClient,
  playing: StoredRun,
  signal: AbortSignal,
): Promise<void> {
  const bell = new ChangeBell()
  for (;;) {
    const found = await readRun(client, bell.watcher, signal)
    if (found?.czxid !== playing.czxid || found.version !== playing.version) return
    await bell.heard(signal)
  }
}

/** The value of a node whenever it is there and has changed; watches it all the time. */
async function* values(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const bell = new ChangeBell()
  let shown = -1n
  for (;;) {
    const options = { watch: bell.watcher, signal }
    const stat = await untilAnswered(() => client.exists(path, options))
    if (stat !== null && stat.mzxid !== shown) {
      shown = stat.mzxid
      try {
        const { data } = await untilAnswered(() => client.getData(path, { signal }))
        yield data === null ? '' : decodeUtf8(data)
      } catch (error) {
        if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
      }
    }
    await bell.heard(signal)
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
