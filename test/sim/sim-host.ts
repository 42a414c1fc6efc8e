/**
 * One member on virtual time: machine, gate and disk, driven as src/runtime/member.ts does it, in
 * the same order. Between every two of its actions it may be told to die.
 */
import { concat } from '../../src/core/base/bytes.ts'
import type { ServerId } from '../../src/core/base/zxid.ts'
import { EffectGate } from '../../src/core/effect-gate/effect-gate.ts'
import type { OutgoingFrame } from '../../src/core/effect-gate/effect-gate.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../../src/core/server/effect.ts'
import type { Moment, PersistEffect, ReadLogEffect } from '../../src/core/zab/effect.ts'
import type { MemberMachine } from '../../src/core/server/member-machine.ts'
import type { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import { CrashPlan } from './crash-plan.ts'
import { DiskPace } from './disk-pace.ts'
import { DiskTrouble } from './disk-trouble.ts'
import { DiskView } from './disk-view.ts'
import { within } from './draw.ts'
import { HostStorage } from './host-storage.ts'
import type { LinkEnd, LinkOwner } from './network.ts'
import { asHost, makeMachine, stepAsHost, type Observed } from './observed-machine.ts'
import { observePackets } from './packet-probe.ts'
import type { SimContext } from './sim-context.ts'
import type { DataTree } from '../../src/core/tree/data-tree.ts'
import type { ClientEnd, ClientServer } from './client-server.ts'
import type { HostView } from './host-view.ts'

/** ms of reading the storage again after TRUNC. */
const REREAD_MS: readonly [number, number] = [1, 10]
const NOTHING: readonly PersistEffect[] = []

export class SimHost implements HostView, LinkOwner, ClientServer {
  readonly sid: ServerId
  /** An observer's place; it starts when it has one. */
  readonly isObserver: boolean
  sessionBase: bigint | null = null
  readonly world: SimContext
  readonly prng: Prng
  readonly view: DiskView = new DiskView()
  readonly crashPlan: CrashPlan = new CrashPlan()
  readonly ends = new Map<ServerId, LinkEnd>()
  readonly storage: HostStorage
  machine: MemberMachine | null = null
  /** Goes up with every start; what was scheduled for another life is dropped. */
  life = 0
  /** Virtual ms; the host's clocks count from here. */
  #bornMs = 0
  /** What a suspended machine's monotonic clock missed. */
  #suspendedMs = 0
  wallSkewMs = 0
  readonly diskPace: DiskPace
  readonly diskTrouble: DiskTrouble
  /** How fast its monotonic clock goes. */
  clockRate = 1
  #tickIntervalMs: number
  #tickSeries = 0
  #gate: EffectGate<MemberEffect> = new EffectGate<MemberEffect>()
  #clients = new Map<ConnectionId, ClientEnd>()
  #nextConnection: ConnectionId = 1
  #pausedMs: number | null = null
  /** Of the pause that goes on: a suspended machine's monotonic clock stands still. */
  #isSuspended = false
  #backlog: (() => void)[] = []
  #inFlight: readonly PersistEffect[] | null = null
  #writeStartedMs = 0
  readonly #observed: Observed

  constructor(world: SimContext, sid: ServerId, disk: MemoryDisk, isObserver = false) {
    this.world = world
    this.sid = sid
    this.isObserver = isObserver
    this.storage = new HostStorage(sid, disk, isObserver)
    this.prng = world.prng.fork(`host ${sid}`)
    this.diskPace = new DiskPace(world, this.prng)
    this.diskTrouble = new DiskTrouble(world.draw.disks, world.prng.fork(`disk ${sid}`))
    this.#tickIntervalMs = world.draw.tickMs
    this.#observed = { host: this, probe: world.probe }
  }

  get name(): string {
    return this.isObserver ? `observer ${this.sid}` : `machine ${this.sid}`
  }

  /** Up and not paused: its page can act. */
  get isRunning(): boolean {
    return this.machine !== null && this.#pausedMs === null
  }

  get isUp(): boolean {
    return this.machine !== null
  }

  get isPaused(): boolean {
    return this.#pausedMs !== null
  }

  get isLeading(): boolean {
    return this.machine?.status(this.now()).role === 'leading'
  }

  /** Number of the last client connection that was opened here. */
  get newestConnection(): ConnectionId {
    return this.#nextConnection - 1
  }

  get disk(): MemoryDisk {
    return this.storage.disk
  }

  get tree(): DataTree | null {
    return this.machine?.tree ?? null
  }

  get inFlight(): readonly PersistEffect[] | null {
    return this.#inFlight
  }

  now(): Moment {
    const { nowMs } = this.world.timeline
    const elapsedMs = this.world.planted.elapsedMs?.(this) ?? this.trueElapsedMs
    return { elapsedMs, wallMs: Math.floor(this.world.wallBaseMs + nowMs + this.wallSkewMs) }
  }

  get trueElapsedMs(): number {
    return (this.world.timeline.nowMs - this.#bornMs - this.#suspendedMs) * this.clockRate
  }

  // --- life and death ---------------------------------------------------------------------------

  start(): void {
    const { world } = this
    this.life++
    this.#bornMs = world.timeline.nowMs - this.prng.next() * 5000
    this.#suspendedMs = 0
    this.#gate = new EffectGate<MemberEffect>()
    this.#inFlight = null
    this.#backlog = []
    this.#pausedMs = null
    const recovered = this.storage.open(this.life, (why) => {
      world.say(this.name, () => `cannot read its disk: ${why}`)
    })
    this.view.reset(recovered)
    world.say(this.name, () => `starts life ${this.life}`)
    world.probe.emit('started', { host: this, recovered })
    this.#guard(() => {
      const seed = this.prng.uint32()
      asHost(this.#observed, () => {
        this.machine = makeMachine(world, this, recovered, this.now(), seed)
      })
      this.#flush()
    })
    this.#scheduleTick()
  }

  /** Another one, and with it another identity. */
  replaceDisk(disk: MemoryDisk): void {
    this.storage.replace(disk)
    this.view.reset(disk.recoverSync())
  }

  admits(peer: LinkOwner): boolean {
    return this.world.planted.admitsRolledBack === true || this.storage.admits(peer.storage)
  }

  /** Everything that is not durable is gone. Peers hear of it or do not. */
  crash(reason: string, isNoticed: boolean): void {
    if (this.machine === null) return
    const { world } = this
    const batch = this.#inFlight
    if (batch !== null) {
      this.#applyBatch(batch, this.prng.bool() ? batch.length : this.diskTrouble.stepsDone(batch))
    }
    this.machine = null
    this.#inFlight = null
    this.#backlog = []
    this.#pausedMs = null
    this.disk.crash()
    world.say(this.name, () => `dies: ${reason}${isNoticed ? '' : ', unnoticed'}`)
    world.digest.text(`crash ${this.sid} ${reason}`)
    world.network.vanish(this, isNoticed)
    for (const client of this.#clients.values()) {
      if (isNoticed || this.prng.bool()) client.closed('host went away')
    }
    this.#clients.clear()
    world.probe.emit('stopped', { host: this, reason })
  }

  pause(isSuspended: boolean): void {
    if (!this.isRunning) return
    this.#pausedMs = this.world.timeline.nowMs
    this.#isSuspended = isSuspended
    this.world.say(this.name, () => (isSuspended ? 'is suspended' : 'freezes'))
  }

  thaw(): void {
    const since = this.#pausedMs
    if (since === null || this.machine === null) return
    const sleptMs = this.world.timeline.nowMs - since
    this.#pausedMs = null
    if (this.#isSuspended) this.#suspendedMs += sleptMs
    this.world.say(this.name, () => `thaws after ${sleptMs.toFixed(0)} ms`)
    this.world.probe.emit('thawed', { host: this, sleptMs })
    const backlog = this.#backlog
    this.#backlog = []
    const tick = (): void => this.#tick()
    const { life } = this
    // The timer that was due may be served before or after the messages that wait.
    for (const run of this.prng.bool() ? [tick, ...backlog] : [...backlog, tick]) {
      if (this.life === life && this.isUp) run()
    }
  }

  // --- inputs -----------------------------------------------------------------------------------

  /** One task of the event loop: its inputs are stepped, then flushed once. */
  inputs(...inputs: readonly MemberInput[]): void {
    if (this.machine === null) return
    if (this.#pausedMs !== null) {
      const { life } = this
      this.#backlog.push(() => {
        if (this.life === life) this.inputs(...inputs)
      })
      return
    }
    try {
      for (const input of inputs) this.#step(input)
      this.#flush()
    } catch (error) {
      this.world.threw(this, error)
    }
    this.world.probe.emit('stepped', this.#observed)
  }

  #step(input: MemberInput): void {
    const { machine } = this
    if (machine === null) return
    this.world.noteInput(this, input)
    stepAsHost(this.#observed, machine, input, this.now())
  }

  attachLink(end: LinkEnd): void {
    const peer = end.peer.sid
    const old = this.ends.get(peer)
    this.ends.set(peer, end)
    const up: MemberInput = { kind: 'link-up', peer }
    if (old === undefined) this.inputs(up)
    else {
      const reason = 'replaced by a newer link'
      old.state = 'closed'
      if (old.other !== null && old.other.state === 'up') this.world.network.close(old, reason)
      this.inputs({ kind: 'link-down', peer, reason }, up)
    }
    const early = end.early
    end.early = []
    for (const bytes of early) this.frameArrived(end, bytes)
  }

  frameArrived(end: LinkEnd, bytes: Uint8Array): void {
    this.#fromEnd(end, { kind: 'frame', peer: end.peer.sid, bytes })
  }

  linkWritable(end: LinkEnd): void {
    this.#fromEnd(end, { kind: 'link-writable', peer: end.peer.sid })
  }

  linkClosed(end: LinkEnd, reason: string): void {
    if (this.#pausedMs !== null) {
      this.#backlog.push(() => this.linkClosed(end, reason))
      return
    }
    if (end.state === 'closed') return
    end.state = 'closed'
    if (this.ends.get(end.peer.sid) !== end) return
    this.ends.delete(end.peer.sid)
    this.inputs({ kind: 'link-down', peer: end.peer.sid, reason })
  }

  /** Both ends are told at some time. */
  linkDies(end: LinkEnd, reason: string): void {
    this.world.network.close(end, reason)
    this.inputs({ kind: 'link-down', peer: end.peer.sid, reason })
  }

  clientOpen(client: ClientEnd): ConnectionId | null {
    if (this.machine === null) return null
    const connection = this.#nextConnection++
    this.#clients.set(connection, client)
    this.inputs({ kind: 'client-open', connection, address: 'page' })
    return connection
  }

  clientData(connection: ConnectionId, bytes: Uint8Array): void {
    if (this.#clients.has(connection)) this.inputs({ kind: 'client-data', connection, bytes })
  }

  clientClosed(connection: ConnectionId): void {
    if (this.#clients.delete(connection)) this.inputs({ kind: 'client-closed', connection })
  }

  /** Messages of a link count only while it is the newest of its peer, as in the runtime. */
  #fromEnd(end: LinkEnd, input: MemberInput): void {
    if (this.machine === null) return
    if (this.#pausedMs !== null) {
      this.#backlog.push(() => this.#fromEnd(end, input))
      return
    }
    if (this.ends.get(end.peer.sid) === end) this.inputs(input)
  }

  /** Timers of a page in the background come later; back in front they come at once. */
  tickEvery(intervalMs: number): void {
    if (intervalMs === this.#tickIntervalMs) return
    this.#tickIntervalMs = intervalMs
    if (this.machine !== null) this.#scheduleTick()
  }

  #scheduleTick(): void {
    const { life } = this
    const series = ++this.#tickSeries
    const next = (): void => {
      const delayMs = this.#tickIntervalMs * (0.9 + 0.2 * this.prng.next())
      this.world.timeline.after(delayMs, () => {
        if (this.life !== life || series !== this.#tickSeries || this.machine === null) return
        if (this.#pausedMs === null) this.#tick()
        next()
      })
    }
    next()
  }

  #tick(): void {
    const isWriting = this.#inFlight !== null
    const oldestAppendAgeMs = isWriting ? this.now().elapsedMs - this.#writeStartedMs : 0
    this.inputs({ kind: 'tick', oldestAppendAgeMs })
  }

  // --- effects ----------------------------------------------------------------------------------

  /** The steps of the runtime's flush. After each of them the process may be gone. */
  #flush(): void {
    if (this.machine === null) return
    this.#gate.offer(this.machine.takeEffects())
    if (this.#diesHere()) return
    this.#startWrite()
    if (this.#diesHere()) return
    for (const frame of this.#gate.takeFrames()) {
      this.#send(frame)
      if (this.#diesHere()) return
    }
    this.#runOthers()
  }

  #send(frame: OutgoingFrame): void {
    const end = this.ends.get(frame.peer)
    if (end === undefined) return
    this.world.noteFrame(this, frame)
    observePackets(this.world.probe, this, frame)
    this.world.network.send(end, frame.bytes)
  }

  #startWrite(): void {
    const batch = this.#gate.takeBatch()
    if (batch === null) return
    const { life, world } = this
    if (this.diskTrouble.diesBefore(this.crashPlan, batch)) {
      this.crash('at a write that was to come', this.prng.bool())
      return
    }
    if (this.diskTrouble.refuses()) {
      this.#applyBatch(batch, this.diskTrouble.stepsDone(batch))
      world.timeline.after(1, () => {
        if (this.life === life) this.#storageFailed('storage failed (quota): the disk is full')
      })
      this.#inFlight = []
      return
    }
    this.#inFlight = batch
    this.#writeStartedMs = this.now().elapsedMs
    this.diskPace.after(() => {
      if (this.life === life && this.#inFlight === batch) this.#onDisk(batch)
    })
  }

  /** As the runtime: the core hears of it, what needs no disk leaves, the member halts. */
  #storageFailed(reason: string): void {
    const { machine } = this
    if (machine === null) return
    stepAsHost(this.#observed, machine, { kind: 'storage-failed', reason }, this.now())
    this.#gate.offer(machine.takeEffects())
    this.#runOthers()
    this.crash(reason, true)
  }

  /** The platter has it, whatever the process does: a frozen one hears of it later. */
  #onDisk(batch: readonly PersistEffect[]): void {
    const steps = this.diskTrouble.diesAt(this.crashPlan, batch)
    if (steps !== 0) this.#applyBatch(batch, steps ?? batch.length)
    if (steps !== null) {
      this.#inFlight = null
      const isDone = steps === batch.length
      this.crash(isDone ? 'at a write that was done' : 'amid a write', this.prng.bool())
      return
    }
    this.#inFlight = []
    const { life } = this
    const tell = (): void => {
      if (this.life === life && this.machine !== null) this.#written(batch)
    }
    if (this.#pausedMs === null) tell()
    else this.#backlog.push(tell)
  }

  #written(batch: readonly PersistEffect[]): void {
    this.#inFlight = null
    const mark = this.#gate.batchDone()
    this.inputs({ kind: 'persisted', mark })
    // A truncate is a barrier, so it can only stand last in its batch.
    if (batch.at(-1)?.kind !== 'truncate') return
    const { life } = this
    this.world.timeline.after(within(this.prng, REREAD_MS), () => {
      if (this.life !== life || this.machine === null) return
      this.inputs({ kind: 'truncated', recovered: this.disk.recoverSync() })
    })
  }

  #applyBatch(all: readonly PersistEffect[], steps: number | null): void {
    if (steps === null) return
    const batch = steps === all.length ? all : all.slice(0, steps)
    const cutOff = steps === all.length ? NOTHING : all.slice(steps)
    // What the disk refuses, the core should not have asked for.
    this.#guard(() => {
      this.disk.apply(batch)
    })
    this.view.apply(batch)
    this.world.noteDurable(this, batch)
    this.world.probe.emit('durable', { host: this, batch, cutOff })
  }

  #runOthers(): void {
    const others = this.#gate.takeOthers()
    if (others.length === 0) return
    const sends = new Map<ConnectionId, Uint8Array[]>()
    for (const effect of others) {
      if (this.#diesHere()) return
      if (effect.kind === 'client-send') {
        const waiting = sends.get(effect.connection)
        if (waiting === undefined) sends.set(effect.connection, [effect.bytes])
        else waiting.push(effect.bytes)
      } else if (effect.kind === 'client-close') {
        this.#sendToClient(effect.connection, sends.get(effect.connection))
        sends.delete(effect.connection)
        const client = this.#clients.get(effect.connection)
        this.#clients.delete(effect.connection)
        client?.closed(effect.reason)
      } else if (effect.kind === 'trace') this.world.noteTrace(this, effect.event)
      else if (effect.kind === 'read-log') this.#readLog(effect)
      else if (effect.kind === 'close-link') this.#closeLink(effect.peer, effect.reason)
      else if (effect.kind === 'halt') this.world.halted(this, effect.reason)
    }
    for (const [connection, messages] of sends) this.#sendToClient(connection, messages)
  }

  #readLog(effect: ReadLogEffect): void {
    const { life } = this
    this.diskPace.after(() => {
      if (this.life !== life || this.machine === null) return
      this.inputs({ kind: 'log-read', id: effect.id, range: this.disk.readLogSync(effect) })
    })
  }

  #sendToClient(connection: ConnectionId, messages: readonly Uint8Array[] | undefined): void {
    const client = this.#clients.get(connection)
    if (messages === undefined || client === undefined) return
    this.world.probe.emit('client-send', { host: this, connection })
    client.receive(concat(messages))
  }

  #closeLink(peer: ServerId, reason: string): void {
    const end = this.ends.get(peer)
    if (end === undefined) return
    this.world.say(this.name, () => `closes the link to machine ${peer}: ${reason}`)
    this.world.network.close(end, reason)
  }

  /** An exception is a programmer's error in the core: the run has found something. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.world.threw(this, error)
    }
  }

  #diesHere(): boolean {
    if (this.machine === null) return true
    if (!this.crashPlan.hitsBoundary()) return false
    this.crash('between two effects', this.prng.bool())
    return true
  }
}
