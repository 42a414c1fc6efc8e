/**
 * An ensemble in memory: the members that tabs and servers run, on virtual time, for tests of apps.
 *
 * One seed draws everything that chance decides outside – how long messages and disks take, who is
 * first of two, who wins an election – so the same test with the same seed is the same history.
 */
import { toError } from './thrown.ts'
import type { ZooKeeperClient } from '../client/zookeeper-client.ts'
import type { ClientTransport } from '../client/transport.ts'
import type { Prng } from '../core/base/prng.ts'
import type { MemberStatus } from '../core/server/member-status.ts'
import { ClientSeats, type SeatOptions, type TestClientOptions } from './client-seats.ts'
import { EnsembleClock } from './ensemble-clock.ts'
import type {
  ClientFaults,
  Delay,
  EnsembleFaults,
  StorageFailure,
  WaitOptions,
} from './ensemble-faults.ts'
import { EnsembleLog } from './ensemble-log.ts'
import { EnsembleParts, type Why } from './ensemble-parts.ts'
import { expireSession, forceLeader, unless } from './hard-faults.ts'
import type { VirtualClient } from './virtual-client.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { Station } from './station.ts'
import type { Promised } from '../history/judge-history.ts'
import type { Recording } from '../history/recording.ts'
import { brokenPromise } from './expectations.ts'
import { whereReported } from './report-file.ts'
import type { TestEnsembleOptions } from './test-ensemble-options.ts'
import { warnOfLifeEnd } from './life-end.ts'
import { VirtualTime } from './virtual-time.ts'

/** Virtual ms. Ours: elections, founding and every session time-out fit into it. */
const WAIT_LIMIT_MS = 60_000
/** Where the wall clock starts: any day will do, as long as it is always the same. */
const START_MS = Date.UTC(2026, 0, 1)
/** Voters; Zab has no limit, but nobody learns more from more. */
const SIZE_MAX = 9
const OBSERVERS_MAX = 16
/** Virtual ms of stillness that count as quiet. Ours: two ticks of a member. */
const QUIET_MS = 100
/** Virtual ms between two looks at a condition that has to ask. */
const LOOK_MS = 25

const PROMISED: readonly Promised[] = [
  'oneLeader',
  'noLostWrites',
  'linearizable',
  'watchesInOrder',
  'sessionsEnd',
  'callsInOrder',
]

/** A member by its number. null, as `leader()` is while nobody leads, is refused at once. */
export type TestMember = number | null
/** Such a one, or a client by its handle or its transport. */
export type TestNode = TestMember | ZooKeeperClient | ClientTransport

export class TestEnsemble
  implements EnsembleFaults<TestNode>, ClientFaults<ZooKeeperClient>, AsyncDisposable
{
  readonly seed: number
  readonly size: number
  /** Timers on the ensemble's time, for the program under test. */
  readonly clock: EnsembleClock
  /** What happened, one line each, newest last. */
  readonly log: EnsembleLog
  readonly #time: VirtualTime
  readonly #parts: EnsembleParts
  readonly #seats: ClientSeats
  readonly #chance: Prng
  readonly #startMs: number
  readonly #reportFile: string | null | undefined
  readonly #clocks = new Map<VirtualClient, EnsembleClock>()
  readonly #ended = new AbortController()

  /** Use `testEnsemble`. */
  constructor(options: TestEnsembleOptions, seed: number) {
    const { size = 3, observers = 0, time = 'auto', startAt } = options
    inRange('size', size, 1, SIZE_MAX)
    inRange('observers', observers, 0, OBSERVERS_MAX)
    this.seed = seed
    this.size = size
    this.#reportFile = options.reportFile
    const startMs = startAt?.getTime() ?? START_MS
    this.#startMs = startMs
    this.#time = new VirtualTime(time === 'auto', options.onTime)
    this.#time.onLifeEnd = () => warnOfLifeEnd(seed)
    this.clock = new EnsembleClock(this.#time, startMs)
    this.log = new EnsembleLog(this.#time)
    this.#parts = new EnsembleParts(
      this.#time,
      { seed, size, observers, startMs, service: options.service ?? {} },
      this.log,
    )
    this.#chance = this.#parts.prng.fork('test')
    this.#seats = new ClientSeats(this.#parts, this.log)
  }

  /** Starts all members; they serve when it resolves. `testEnsemble` has done it. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#parts.start()
    const options = signal === undefined ? {} : { signal }
    await this.#wait('the ensemble serves', () => this.#parts.whyNotQuiet(), options)
  }

  /** Of the ensemble's whole history so far: the same test with the same seed has the same. */
  get digest(): string {
    return this.log.digest
  }

  /** Members by their numbers, observers included. */
  get members(): readonly number[] {
    return this.#parts.members.map(({ number }) => number)
  }

  /** In [0, 1), from the seed: for choices of the test itself. */
  random(): number {
    return this.#chance.next()
  }

  // — clients —

  /** A connected client. Its timers and its ways are the ensemble's; all else is the product's. */
  async client(options: TestClientOptions & WaitOptions = {}): Promise<ZooKeeperClient> {
    const { timeoutMs, signal, ...rest } = options
    const client = this.#seats.open(rest)
    const connected = client.connected(this.#ended.signal)
    connected.catch(() => {})
    try {
      let isSettled = false
      const note = (): void => {
        isSettled = true
      }
      connected.then(note, note)
      await this.#wait('a client is served', () => unless(isSettled, 'nobody serves it'), {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      })
      await connected
      return client
    } catch (error) {
      void client.close()
      throw error
    }
  }

  /** For a program that makes its own handle: `new ZooKeeperClient(ensemble.clientOptions())`. */
  clientOptions(options: SeatOptions = {}): ReturnType<ClientSeats['options']> {
    return this.#seats.options(options)
  }

  /** As `clock`, and it stands still while this client is frozen: for what runs in its tab. */
  clockOf(client: ZooKeeperClient | ClientTransport): EnsembleClock {
    const seat = this.#seat(client)
    const clock =
      this.#clocks.get(seat) ?? new EnsembleClock(this.#time, this.#startMs, seat.process)
    this.#clocks.set(seat, clock)
    return clock
  }

  // — time —

  /** ms since the ensemble was made. */
  get nowMs(): number {
    return this.#time.nowMs
  }

  /** Lets so much time pass, with everything that is due in it. */
  async advance(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const done = this.#time.want(this.#time.nowMs + ms)
    await this.clock.sleep(ms, options).finally(done)
  }

  /** Lets time pass until it is so. */
  async until(
    condition: () => boolean | Promise<boolean>,
    options: WaitOptions & { readonly what?: string } = {},
  ): Promise<void> {
    const { what = 'the condition holds' } = options
    for (;;) {
      const answer = condition()
      if (typeof answer === 'boolean') {
        if (answer) return
        return this.#wait(what, () => unless(condition() === true, 'it does not hold'), options)
      }
      if (await answer) return
      await this.#look(what, options)
    }
  }

  /** Everything that the program has to do at this moment is done; no time passes. */
  settle(): Promise<void> {
    return this.#time.drained()
  }

  /** Time stands still until the result is disposed of: for real waits in a test. */
  hold(): Disposable {
    const release = this.#time.hold()
    return { [Symbol.dispose]: release }
  }

  // — processes —

  async kill(member: TestMember): Promise<void> {
    this.#did(`kill(${String(member)})`, member)
    this.#parts.member(member).kill()
    this.log.record.went(this.#parts.member(member))
  }

  async restart(member: TestMember): Promise<void> {
    this.#did(`restart(${String(member)})`, member)
    this.#parts.member(member).start()
  }

  async freeze(node: TestNode): Promise<void> {
    const { name, process } = this.#station(node)
    this.#did(`freeze(${name})`, node)
    process.freeze()
  }

  async thaw(node: TestNode): Promise<void> {
    const { name, process } = this.#station(node)
    this.#did(`thaw(${name})`, node)
    process.thaw()
  }

  // — network —

  async partition(...groups: readonly (readonly TestNode[])[]): Promise<void> {
    const named = groups.map((group) => group.map((node) => this.#station(node)))
    const words = named.map((group) => group.map(({ name }) => name).join(', '))
    this.#did(`partition(${words.map((text) => `[${text}]`).join(', ')})`, ...groups.flat())
    const place = new Map<Station, number>()
    for (const [index, group] of named.entries()) {
      for (const station of group) place.set(station, index)
    }
    for (const member of this.#parts.members) {
      if (!place.has(member)) place.set(member, groups.length)
    }
    this.#parts.network.cut((from, to) => {
      const a = place.get(from)
      const b = place.get(to)
      return a !== undefined && b !== undefined && a !== b
    })
  }

  async isolate(node: TestNode): Promise<void> {
    const station = this.#station(node)
    this.#did(`isolate(${station.name})`, node)
    this.#parts.network.cut((from, to) => from === station || to === station)
  }

  async oneWay(from: TestNode, to: TestNode): Promise<void> {
    const [a, b] = [this.#station(from), this.#station(to)]
    this.#did(`oneWay(${a.name}, ${b.name})`, from, to)
    this.#parts.network.cut((one, other) => one === a && other === b)
  }

  async delay(delay: Delay, between?: readonly [TestNode, TestNode]): Promise<void> {
    this.#did(`delay(${String(delay)})`)
    this.#parts.network.delay(delay, this.#pair(between))
  }

  async drop(chance: number, between?: readonly [TestNode, TestNode]): Promise<void> {
    this.#did(`drop(${chance})`)
    this.#parts.network.drop(chance, this.#pair(between))
  }

  async heal(): Promise<void> {
    this.#did('heal()')
    this.#parts.network.heal()
  }

  /** The client's connection breaks. */
  async dropConnection(client: ZooKeeperClient | ClientTransport): Promise<void> {
    const seat = this.#seat(client)
    this.#did(`dropConnection(${seat.name})`)
    seat.drop()
  }

  async expireSession(client: ZooKeeperClient, options: WaitOptions = {}): Promise<void> {
    const seat = this.#seat(client)
    this.#did(`expireSession(${seat.name})`)
    await expireSession(this.#parts, client, (what, look) => this.#wait(what, look, options))
    // It hears of it now, and not when it next asks.
    seat.drop()
  }

  // — storage —

  async wipeStorage(member: TestMember): Promise<void> {
    this.#did(`wipeStorage(${String(member)})`, member)
    this.#parts.member(member).wipeStorage()
  }

  async failStorage(member: TestMember, failure: StorageFailure = 'quota'): Promise<void> {
    this.#did(`failStorage(${String(member)}, ${failure})`, member)
    this.#parts.member(member).failStorage(failure)
  }

  // — roles —

  /** The number of the member that leads with a majority behind it; null while nobody does. */
  leader(): number | null {
    return this.#parts.leader?.number ?? null
  }

  /** What a member says of itself; null while it is down. */
  status(member: number): MemberStatus | null {
    return this.#parts.member(member).status
  }

  /** A member that serves under the leader and is not it; the voters first. */
  follower(): number | null {
    const leader = this.leader()
    const found = this.#parts.members.find(
      (member) => member.number !== leader && member.isServing && member.process.isRunning,
    )
    return found?.number ?? null
  }

  async waitForLeader(options: WaitOptions = {}): Promise<number> {
    const parts = this.#parts
    let leader: number | null = null
    const look = (): Why | null => {
      leader = this.leader()
      return leader === null ? () => parts.whyNoLeader() : null
    }
    await this.#wait('there is a leader', look, options)
    return leader ?? this.waitForLeader(options)
  }

  async forceLeader(member: TestMember, options: WaitOptions = {}): Promise<void> {
    this.#did(`forceLeader(${String(member)})`, member)
    const voter = this.#parts.voter(member)
    await forceLeader(this.#parts, this.#seats, voter, (what, look) => {
      return this.#wait(what, look, options)
    })
  }

  async waitForQuiet(options: WaitOptions = {}): Promise<void> {
    let quietSinceMs: number | null = null
    const look = (): Why | null => {
      const reason = this.#parts.whyNotQuiet() ?? this.#seats.whyNotQuiet()
      if (reason !== null) {
        quietSinceMs = null
        return reason
      }
      quietSinceMs ??= this.nowMs
      return unless(this.nowMs - quietSinceMs >= QUIET_MS, 'it was quiet for a moment only')
    }
    await this.#wait('the ensemble is quiet', look, options)
  }

  // — what was promised —

  /** No epoch had two leaders. */
  expectOneLeader(options: WaitOptions = {}): Promise<void> {
    return this.#expect('oneLeader', options)
  }

  /** What was acknowledged is in the log, and all members hold the same. */
  expectNoLostWrites(options: WaitOptions = {}): Promise<void> {
    return this.#expect('noLostWrites', options)
  }

  /** Each write took effect at one moment between its call and its answer; reads show a moment. */
  expectLinearizable(options: WaitOptions = {}): Promise<void> {
    return this.#expect('linearizable', options)
  }

  /** Each watch told of its change, once, before anything that was read after it. */
  expectWatchesInOrder(options: WaitOptions = {}): Promise<void> {
    return this.#expect('watchesInOrder', options)
  }

  /** All of these, and what else the judges know: of sessions, ephemerals and answers. */
  async expectAllPromises(options: WaitOptions = {}): Promise<void> {
    for (const promised of PROMISED) await this.#expect(promised, options)
  }

  /** What happened so far, for `judgeHistory` or a file. */
  recording(): Recording {
    return this.log.record.recording(`seed ${this.seed}`, this.#parts.alike())
  }

  /**
   * The same error, with the seed, what happened last, and where the history is as a page. For
   * errors of the test itself: those of the ensemble, and all in `forEachSeed`, say it already.
   */
  explained(error: Error): Error {
    if (this.log.hasExplained(error)) return error
    const where = whereReported(error, this, this.#reportFile)
    return this.log.explained(error, this.seed, where)
  }

  // — end —

  /** Ends everything. Whatever still waits is told so. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return
    const reason = new Error('the ensemble under test was closed')
    this.#ended.abort(reason)
    for (const clock of [this.clock, ...this.#clocks.values()]) clock.stop(reason)
    for (const member of this.#parts.members) member.kill()
    await this.#seats.close()
    this.#time.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** A history can be judged when it has come to rest. */
  async #expect(promised: Promised, options: WaitOptions): Promise<void> {
    await this.waitForQuiet(options)
    const broken = brokenPromise(this.recording(), promised)
    if (broken !== null) throw this.explained(broken)
  }

  /** Lets time pass until `look` finds nothing missing any more. */
  async #wait(what: string, look: () => Why | null, options: WaitOptions): Promise<void> {
    if (look() !== null) await this.#until(what, look, options)
  }

  async #look(what: string, options: WaitOptions): Promise<void> {
    const nextMs = this.nowMs + LOOK_MS
    this.#time.after(LOOK_MS, () => {})
    await this.#until(what, () => unless(this.nowMs >= nextMs, 'it does not hold'), options)
  }

  #until(what: string, look: () => Why | null, options: WaitOptions): Promise<void> {
    const { timeoutMs = WAIT_LIMIT_MS, signal } = options
    const limitMs = this.nowMs + timeoutMs
    return new Promise((resolve, reject) => {
      const signals = [this.#ended.signal, ...(signal === undefined ? [] : [signal])]
      let isOver = false
      const wished = this.#time.want(limitMs)
      const end = (settle: () => void): true => {
        isOver = true
        wished()
        for (const each of signals) each.removeEventListener('abort', onAbort)
        settle()
        return true
      }
      const onAbort = (): void => {
        const aborted = signals.find((each) => each.aborted)
        if (!isOver) end(() => reject(toError(aborted?.reason)))
      }
      for (const each of signals) each.addEventListener('abort', onAbort, { once: true })
      if (signals.some((each) => each.aborted)) return onAbort()
      // Something is due at the limit, so that it is looked at.
      this.#time.after(timeoutMs, () => {})
      this.#time.watch(() => {
        if (isOver) return true
        const why = look()
        if (why === null) return end(resolve)
        if (this.nowMs < limitMs) return false
        const text = `not within ${timeoutMs} ms of the ensemble's time: ${what} (${why()})`
        return end(() => reject(this.explained(new Error(text))))
      })
    })
  }

  #did(what: string, ...nodes: readonly TestNode[]): void {
    this.#ended.signal.throwIfAborted()
    this.log.say('test', what)
    const sids = nodes.filter((node) => typeof node === 'number')
    this.log.record.fault(what, sids)
    this.#time.touch()
  }

  #station(node: TestNode): Station & { readonly process: VirtualMember['process'] } {
    const isMember = node === null || typeof node === 'number'
    return isMember ? this.#parts.member(node) : this.#seat(node)
  }

  #seat(client: ZooKeeperClient | ClientTransport): VirtualClient {
    return this.#seats.of(client)
  }

  #pair(
    between: readonly [TestNode, TestNode] | undefined,
  ): readonly [Station, Station] | undefined {
    return between && [this.#station(between[0]), this.#station(between[1])]
  }
}

function inRange(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return
  throw new RangeError(`${name} is ${value}; it is a whole number from ${low} to ${high}`)
}
