/**
 * One run: hosts, links, clients and faults of one seed on virtual time. Knows what happens and
 * tells the probe; what must not happen is the checkers' business.
 */
import { Prng } from '../../src/core/base/prng.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { toServerId, type ServerId } from '../../src/core/base/zxid.ts'
import type { OutgoingFrame } from '../../src/core/effect-gate/effect-gate.ts'
import type { SignedFoundingRecord } from '../../src/core/founding/founding-record.ts'
import type { MemberInput } from '../../src/core/server/effect.ts'
import type { PersistEffect, TraceEvent } from '../../src/core/zab/effect.ts'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import type { ClientRecorder } from '../../src/history/client-recorder.ts'
import type { JudgedHistory, Violation } from '../../src/history/history-events.ts'
import { drawRun, type Draw } from './draw.ts'
import { FaultPlan } from './fault-plan.ts'
import type { FaultTargets } from './faults/fault.ts'
import { FaultChoice, type ChosenFaults } from './faults/fault-choice.ts'
import { FaultTally } from './faults/fault-tally.ts'
import { foundedDisk } from './founding.ts'
import type { HostView } from './host-view.ts'
import { Network } from './network.ts'
import { ObserverPlan } from './observer-plan.ts'
import { broughtDisk, formerEnsemble, type Origin } from './origin.ts'
import { NO_BUG, type PlantedBug } from './planted/planted-bug.ts'
import { Probe } from './probe.ts'
import { RestorePlan } from './restore-plan.ts'
import { RoomPlan } from './room/room-plan.ts'
import { SimClient } from './sim-client.ts'
import { SimHost } from './sim-host.ts'
import { Timeline } from './timeline.ts'
import { TraceDigest } from '../../src/testing/trace-digest.ts'
import { Transcript } from './transcript.ts'

/** Any moment will do. */
const WALL_BASE_MS = 1_700_000_000_000
/** How often the pages look for missing links, ms. */
const DIAL_INTERVAL_MS = 100
/** Virtual ms after the last fault until a room is founded: ICE gives up, all come, all meet. */
const FOUNDING_LIMIT_MS = 12_000
/** And until every member must serve again (O8). */
const RESUME_LIMIT_MS = 6000
/** After that: they look for whom to learn from when there is a leader. */
const OBSERVERS_LIMIT_MS = 4000
/** And every client have an answer: one that sits on a dead connection waits 2t/3 (S26). */
const ANSWER_LIMIT_MS = 12_000
/** And until what must come to an end has: longest session time-out, two ticks, slack. */
const SETTLE_LIMIT_MS = 20_000
/** Until the last answers are in, once nobody asks any more. */
const QUIET_LIMIT_MS = 10_000
/** Long enough for what is under way to arrive. */
const STILL_MS = 1500
/** How often those are looked at, ms. */
const LOOK_MS = 250

/** Rules that need no listener; the others are in checkers/ and in src/history. */
const OWN_RULES = [
  'NoException',
  'NoHalt',
  'NoDivergence',
  'FoundingCompletes',
  'ReplyOrder',
  'ServiceResumes',
  'ClientsResume',
  'Settles',
  'ComesToRest',
]

export interface WorldOptions {
  readonly seed: number
  readonly planted?: PlantedBug
  readonly transcript?: Transcript
  /** Instead of what the seed draws: for scenarios. */
  readonly draw?: Partial<Draw>
  /** Who tells the checkers; the default tells what is. */
  readonly probe?: Probe
  /** Those faults that are to happen; the others are drawn and left out. */
  readonly onlyFaults?: ChosenFaults
  /** What breaks any other rule counts for nothing: does this one see it by itself? */
  readonly onlyRule?: string
  /** Who went down stays down until the scenario starts it, or all faults end. */
  readonly startsByHand?: boolean
}

export class World implements FaultTargets, JudgedHistory {
  readonly prng: Prng
  readonly draw: Draw
  readonly timeline: Timeline = new Timeline()
  readonly probe: Probe
  readonly digest: TraceDigest = new TraceDigest()
  readonly tally: FaultTally = new FaultTally()
  readonly choice: FaultChoice
  readonly transcript: Transcript
  readonly planted: PlantedBug
  readonly origin: Origin | null
  /** Of the voters. */
  readonly sids: readonly ServerId[]
  readonly voters: readonly SimHost[]
  readonly observers: ObserverPlan
  readonly restores: RestorePlan
  /** Where the voters come from; null: they were founded before. */
  readonly room: RoomPlan | null
  /** Voters, then observers. */
  readonly hosts: readonly SimHost[]
  readonly network: Network
  readonly faults: FaultPlan
  readonly wallBaseMs: number = WALL_BASE_MS
  readonly startsByHand: boolean
  readonly sessionKey: Uint8Array = encodeUtf8('key of the simulated ensemble')
  clients: SimClient[] = []
  readonly onlyRule: string | null
  violation: Violation | null = null
  /** What must become true after the last fault: words while it is not, else null. */
  readonly conditions: (() => string | null)[] = []
  /** A tree is made wrong on purpose; else no member may find that its tree is (P22). */
  expectsDivergence = false
  /** Rules looked at, by all checkers. */
  checks = 0
  readonly ruleNames: Set<string> = new Set(OWN_RULES)
  /** Nothing is refused here for a reason that the log does not tell. */
  readonly unexplained: ReadonlySet<number> = new Set()
  /** Who writes down what a client does, if anybody. */
  makeRecorder: (client: number) => ClientRecorder | null = () => null
  /** Newest zxid that any client was told of as the result of a write. */
  newestAcked = 0n

  constructor(options: WorldOptions) {
    const { seed, planted = NO_BUG, transcript = new Transcript(false, 0) } = options
    this.probe = options.probe ?? new Probe()
    this.prng = new Prng(seed)
    this.draw = { ...drawRun(seed), ...options.draw }
    this.planted = planted
    this.onlyRule = options.onlyRule ?? null
    this.choice = new FaultChoice(options.onlyFaults ?? null)
    this.startsByHand = options.startsByHand === true
    this.transcript = transcript
    this.sids = Array.from({ length: this.draw.voters }, (_, i) => toServerId(i + 1))
    this.origin = this.draw.hasOrigin ? formerEnsemble() : null
    const founder = this.prng.fork('origin').pick(this.sids)
    this.voters = this.sids.map((sid) => {
      const brought = sid === founder ? this.origin : null
      const disk = brought === null ? this.#firstDisk() : broughtDisk(brought.copy)
      return new SimHost(this, sid, disk)
    })
    const observers = Array.from({ length: this.draw.observers }, (_, i) => {
      return new SimHost(this, toServerId(this.draw.voters + 1 + i), foundedDisk(), true)
    })
    this.hosts = [...this.voters, ...observers]
    this.observers = new ObserverPlan(this, this.voters, observers)
    this.restores = new RestorePlan(this, this.voters)
    for (const host of this.hosts) {
      host.wallSkewMs = Math.round((host.prng.next() - 0.5) * 4000)
      host.clockRate = 1 + (host.prng.next() - 0.5) * 2 * this.draw.clockDrift
    }
    this.network = new Network(this.timeline, this.prng.fork('network'), this.draw, this.hosts)
    this.room = this.#isFoundedHere ? new RoomPlan(this, this.voters) : null
    this.faults = new FaultPlan(this)
  }

  get founded(): SignedFoundingRecord | null {
    return this.room?.founded ?? null
  }

  get nowMs(): number {
    return this.timeline.nowMs
  }

  isConnected(client: number): boolean {
    return this.clients.some((each) => each.number === client && each.isConnected)
  }

  /** Safety phase with faults, then heal and converge. To be called once the checkers listen. */
  run(): void {
    this.begin()
    this.faults.start()
    this.runFor(this.draw.safetyMs)
    this.converge()
  }

  begin(): void {
    this.room?.start()
    for (const host of this.room === null ? this.voters : []) {
      this.timeline.after(host.prng.next() * this.draw.foundingMs, () => {
        if (!host.isUp) host.start()
      })
    }
    this.observers.start()
    this.restores.start()
    this.#dial()
    const { clients, readers } = this.draw
    for (let i = 0; i < clients + readers; i++) {
      this.clients.push(new SimClient(this, i + 1, i >= clients))
    }
  }

  runFor(spanMs: number): void {
    try {
      this.timeline.run(this.timeline.nowMs + spanMs, () => this.violation !== null)
    } catch (error) {
      // What a client cannot read, say: the seed has to be told.
      this.fail('NoException', textOf(error))
    }
  }

  /** All faults end; then everything must work, settle and agree within its limits. */
  converge(): void {
    this.faults.heal()
    this.room?.heal()
    this.say('world', () => 'no more faults')
    this.probe.emit('healed', {})
    this.#converge()
    if (this.violation === null) this.probe.emit('finished', {})
  }

  /** The first broken rule stops the run. */
  fail(checker: string, what: string): void {
    if (this.violation !== null || (this.onlyRule ?? checker) !== checker) return
    this.violation = { checker, what, atMs: this.timeline.nowMs }
    this.say('CHECKER', () => `${checker}: ${what}`)
  }

  threw(host: HostView, error: unknown): void {
    this.fail('NoException', `${host.name}: ${textOf(error)}`)
  }

  halted(host: HostView, reason: string): void {
    this.fail('NoHalt', `${host.name} halted: ${reason}`)
  }

  acknowledged(zxid: bigint): void {
    if (zxid > this.newestAcked) this.newestAcked = zxid
  }

  say(who: string, what: () => string): void {
    this.transcript.say(this.timeline.nowMs, who, what)
  }

  // --- the trace --------------------------------------------------------------------------------

  noteInput(host: HostView, input: MemberInput): void {
    const { digest } = this
    digest.number(host.sid)
    digest.text(input.kind)
    digest.number(this.timeline.nowMs)
    // A frame's bytes were counted when it left.
    if (input.kind === 'client-data') digest.bytes(input.bytes)
    if ('mark' in input) digest.number(input.mark)
  }

  noteFrame(host: HostView, { peer, bytes }: OutgoingFrame): void {
    this.digest.number(host.sid * 256 + peer)
    this.digest.bytes(bytes)
  }

  noteDurable(host: HostView, batch: readonly PersistEffect[]): void {
    this.digest.number(host.sid)
    for (const { kind } of batch) this.digest.text(kind)
    this.say(host.name, () => `on disk: ${batch.map(describePersist).join(', ')}`)
  }

  noteTrace(host: HostView, event: TraceEvent): void {
    this.digest.text(event.type)
    this.say(host.name, () => JSON.stringify(event))
    this.probe.emit('trace', { host, event })
    if (event.type !== 'diverged' || this.expectsDivergence) return
    this.fail('NoDivergence', `${host.name} at ${event.zxid}: ${event.what}`)
  }

  /** What a former ensemble left is on a disk that was founded already. */
  get #isFoundedHere(): boolean {
    return this.draw.pages > 0 && this.origin === null
  }

  /** A room's machines bring theirs. */
  #firstDisk(): MemoryDisk {
    return this.#isFoundedHere ? new MemoryDisk() : foundedDisk()
  }

  #dial(): void {
    this.timeline.after(DIAL_INTERVAL_MS, () => {
      this.network.dialMissing()
      this.#dial()
    })
  }

  #converge(): void {
    const served = new Set<number>()
    this.probe.on('completed', ({ op, outcome }) => {
      if (outcome.isReadOnly !== true) served.add(op.client)
    })
    this.#until('FoundingCompletes', FOUNDING_LIMIT_MS, () => this.room?.whatIsMissing() ?? null)
    this.#until('ServiceResumes', RESUME_LIMIT_MS, () => whoIsIdle(this.voters))
    this.#until('ServiceResumes', OBSERVERS_LIMIT_MS, () => whoIsIdle(this.hosts))
    // A client asks nothing while it thinks: up to 1.8 times that, twice if it was cut off then.
    const thinkingMs = 4 * this.draw.thinkMs
    this.#until('ClientsResume', ANSWER_LIMIT_MS + thinkingMs, () => {
      const lost = this.clients.find((client) => !served.has(client.number))
      return lost === undefined ? null : `${lost.name} gets no answer`
    })
    this.#until('Settles', SETTLE_LIMIT_MS, () => {
      for (const condition of this.conditions) {
        const what = condition()
        if (what !== null) return what
      }
      return null
    })
    for (const client of this.clients) client.isQuiet = true
    let changedMs = this.timeline.nowMs
    this.probe.on('committed', () => {
      changedMs = this.timeline.nowMs
    })
    this.#until('ComesToRest', QUIET_LIMIT_MS, () => {
      const waiting = this.clients.find((client) => client.pendingCount > 0)
      if (waiting !== undefined) return `a call of ${waiting.name} is never answered`
      if (this.timeline.nowMs - changedMs <= STILL_MS) return 'the log does not come to rest'
      return this.#whoLags()
    })
  }

  /** A follower on a dead link serves until it notices; so equality is waited for, in limits. */
  #whoLags(): string | null {
    const members = this.hosts.filter((host) => host.view.isFounded)
    const idle = whoIsIdle(members)
    if (idle !== null) return idle
    const [first] = members
    const other = members.find((host) => host.tree?.lastProcessed !== first?.tree?.lastProcessed)
    return other === undefined ? null : `${other.name} and ${first?.name ?? ''} do not meet`
  }

  /** Runs until `why` finds nothing any more; at the limit its words are the violation. */
  #until(rule: string, limitMs: number, why: () => string | null): void {
    const untilMs = this.timeline.nowMs + limitMs
    while (this.violation === null) {
      const what = why()
      if (what === null) return
      if (this.timeline.nowMs >= untilMs) return this.fail(rule, `${what} within ${limitMs} ms`)
      this.runFor(LOOK_MS)
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
}

function describePersist(effect: PersistEffect): string {
  switch (effect.kind) {
    case 'append':
      return `0x${effect.zxid.toString(16)}`
    case 'accepted-epoch':
    case 'current-epoch':
      return `${effect.kind} ${effect.epoch}`
    case 'truncate':
      return `truncate to 0x${effect.to.toString(16)}`
    case 'snapshot-commit':
      return `snapshot 0x${effect.zxid.toString(16)}${effect.install ? ' installed' : ''}`
    case 'snapshot-chunk':
    case 'snapshot-abandon':
      return effect.kind
  }
}

function whoIsIdle(hosts: readonly SimHost[]): string | null {
  const idle = hosts.find((host) => {
    return host.view.isFounded && host.machine?.status(host.now()).serving !== true
  })
  return idle === undefined ? null : `${idle.name} does not serve`
}
