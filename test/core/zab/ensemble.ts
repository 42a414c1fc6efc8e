/** A few members on virtual time: links, disks and faults are lists and numbers of this file. */
import { assert } from '../../../src/core/base/assert.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { toServerId, type ServerId } from '../../../src/core/base/zxid.ts'
import { EffectGate } from '../../../src/core/effect-gate/effect-gate.ts'
import type {
  Moment,
  PersistEffect,
  ReadLogEffect,
  TraceEvent,
  ZabInput,
} from '../../../src/core/zab/effect.ts'
import { EffectList } from '../../../src/core/zab/effect-list.ts'
import type { QuorumGroup } from '../../../src/core/zab/hierarchical-verifier.ts'
import { QuorumPeer } from '../../../src/core/zab/quorum-peer.ts'
import type { ZabConfig, ZabTuning } from '../../../src/core/zab/role.ts'
import { ZAB_RULES, type ZabRules } from '../../../src/core/zab/rules.ts'
import { FakeDisk } from './fake-disk.ts'
import { FakeReplica, type ReplicaWatcher } from './fake-replica.ts'

export interface EnsembleOptions {
  /** Voters. */
  readonly size: number
  /** Observers, with the sids behind the voters'. Default 0. */
  readonly observers?: number
  readonly seed?: number
  readonly groups?: readonly QuorumGroup[]
  readonly rules?: ZabRules
  readonly tuning?: ZabTuning
  /** ms, each from a to b. */
  readonly linkDelayMs?: readonly [number, number]
  readonly diskDelayMs?: readonly [number, number]
  readonly reconnectMs?: number
  readonly chunkBytes?: number
  readonly watch?: (member: Member) => ReplicaWatcher
}

const NOBODY: ReplicaWatcher = { onDeliver: () => undefined, onService: () => undefined }
const TICK_MS = 50

/** One life of a member: everything but its disk ends with a crash. */
export interface Life {
  readonly peer: QuorumPeer
  readonly out: EffectList
  readonly gate: EffectGate
  readonly replica: FakeReplica
  batch: readonly PersistEffect[] | null
}

export class Member {
  readonly sid: ServerId
  readonly isObserver: boolean
  readonly disk: FakeDisk = new FakeDisk()
  readonly traces: TraceEvent[] = []
  life: Life | null = null
  /** Frozen: inputs pile up until it thaws. */
  isFrozen = false
  readonly backlog: ZabInput[] = []
  /** ms; a hanging disk is Infinity. */
  diskExtraMs = 0
  writeStartedMs: number | null = null

  constructor(sid: ServerId, isObserver: boolean) {
    this.sid = sid
    this.isObserver = isObserver
  }

  get alive(): Life {
    assert(this.life !== null, `member ${this.sid} is down`)
    return this.life
  }

  get peer(): QuorumPeer {
    return this.alive.peer
  }

  get replica(): FakeReplica {
    return this.alive.replica
  }
}

interface Planned {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Ensemble {
  readonly members: Member[] = []
  readonly prng: Prng
  nowMs = 1000
  /** Wire taps: everything that leaves a gate. */
  onFrame: (from: ServerId, to: ServerId, bytes: Uint8Array) => void = () => undefined
  onBatch: (sid: ServerId, batch: readonly PersistEffect[]) => void = () => undefined
  readonly #options: EnsembleOptions
  #plan: Planned[] = []
  #orders = 0
  /** "a-b" with a < b: generation of the open link. */
  readonly #links = new Map<string, number>()
  readonly #cut = new Set<string>()
  #generations = 0

  constructor(options: EnsembleOptions) {
    this.#options = options
    this.prng = new Prng(options.seed ?? 1)
    for (let sid = 1; sid <= options.size + (options.observers ?? 0); sid++) {
      this.members.push(new Member(toServerId(sid), sid > options.size))
    }
  }

  member(sid: number): Member {
    const member = this.members[sid - 1]
    assert(member !== undefined, `no member ${sid}`)
    return member
  }

  get up(): Member[] {
    return this.members.filter(({ life }) => life !== null)
  }

  get leader(): Member | undefined {
    return this.up.find(({ peer }) => peer.role === 'leading' && peer.status(this.now).isServing)
  }

  get now(): Moment {
    return { elapsedMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs }
  }

  get config(): Omit<ZabConfig, 'sid' | 'isObserver'> {
    const voters = this.members.filter(({ isObserver }) => !isObserver).map(({ sid }) => sid)
    const { groups, tuning } = this.#options
    const quorums = { ...tuning, ...(groups === undefined ? {} : { groups }) }
    return { voters, ...quorums, tickTimeMs: 2000, initLimitTicks: 10, syncLimitTicks: 5 }
  }

  startAll(): void {
    for (const { sid } of this.members) this.start(sid)
  }

  start(sid: number): void {
    const member = this.member(sid)
    assert(member.life === null, `member ${sid} runs`)
    const out = new EffectList()
    const watcher = this.#options.watch?.(member) ?? NOBODY
    const replica = new FakeReplica(watcher, this.#options.chunkBytes)
    const { isObserver } = member
    const config = { ...this.config, sid: member.sid, isObserver }
    const rules = this.#options.rules ?? ZAB_RULES
    const peer = new QuorumPeer(config, replica, member.disk.recover(), this.now, out, rules)
    replica.broadcaster = peer
    member.life = { peer, out, gate: new EffectGate(), replica, batch: null }
    member.isFrozen = false
    member.backlog.length = 0
    this.#flush(member)
    this.#tickLater(member, member.life)
    for (const other of this.up) if (other !== member) this.#connectLater(member, other)
  }

  /** Everything in memory is gone; a batch on its way is on disk as a whole or not at all. */
  crash(sid: number, tellsPeers = true): void {
    const member = this.member(sid)
    const { batch } = member.alive
    if (batch !== null && this.prng.bool()) member.disk.write(batch)
    member.life = null
    member.writeStartedMs = null
    for (const other of this.members) {
      if (other === member || !this.#links.delete(nameOf(member, other))) continue
      if (tellsPeers) this.#later(1, () => this.#linkDown(other, member, 'closed'))
    }
  }

  cut(a: number, b: number): void {
    const name = nameOf(this.member(a), this.member(b))
    this.#cut.add(name)
    if (!this.#links.delete(name)) return
    this.#linkDown(this.member(a), this.member(b), 'cut')
    this.#linkDown(this.member(b), this.member(a), 'cut')
  }

  heal(a: number, b: number): void {
    this.#cut.delete(nameOf(this.member(a), this.member(b)))
    this.#connectLater(this.member(a), this.member(b))
  }

  healAll(): void {
    for (const a of this.members) {
      for (const b of this.members) if (a.sid < b.sid) this.heal(a.sid, b.sid)
    }
  }

  freeze(sid: number): void {
    this.member(sid).isFrozen = true
  }

  thaw(sid: number): void {
    const member = this.member(sid)
    member.isFrozen = false
    for (const input of member.backlog.splice(0)) this.input(member, input)
  }

  input(member: Member, input: ZabInput): void {
    if (member.life === null) return
    if (member.isFrozen) {
      member.backlog.push(input)
      return
    }
    member.life.peer.step(input, this.now)
    this.#flush(member)
  }

  /** The server of a member does something by itself, then its effects leave. */
  act(member: Member, run: (life: Life) => void): void {
    if (member.life === null || member.isFrozen) return
    member.life.peer.advance(this.now)
    run(member.life)
    this.#flush(member)
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const next = this.#plan[0]
      if (next === undefined || next.atMs > endMs) break
      this.#plan.shift()
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  /** Runs until it holds; fails after `limitMs`. Returns the ms it took. */
  runUntil(what: string, holds: () => boolean, limitMs = 30_000): number {
    const fromMs = this.nowMs
    while (!holds()) {
      assert(this.nowMs - fromMs < limitMs, `not within ${limitMs} ms: ${what}`)
      this.run(5)
    }
    return this.nowMs - fromMs
  }

  /** A leader serves, and so does everybody who is up. */
  get isSettled(): boolean {
    return this.leader !== undefined && this.up.every(({ peer }) => peer.status(this.now).isServing)
  }

  // --- the world --------------------------------------------------------------------------------

  #flush(member: Member): void {
    const { life } = member
    if (life === null) return
    const { gate, out } = life
    gate.offer(out.take())
    this.#startWrite(member, life)
    for (const { peer, bytes } of gate.takeFrames()) this.#transmit(member, peer, bytes)
    for (const effect of gate.takeOthers()) {
      if (effect.kind === 'trace') member.traces.push(effect.event)
      else if (effect.kind === 'read-log') this.#readLog(member, life, effect)
      else if (effect.kind === 'close-link') this.#closeLink(member, this.member(effect.peer))
    }
  }

  #startWrite(member: Member, life: Life): void {
    const batch = life.gate.takeBatch()
    if (batch === null) return
    this.onBatch(member.sid, batch)
    life.batch = batch
    member.writeStartedMs = this.nowMs
    this.#later(this.#between(this.#options.diskDelayMs ?? [2, 2]) + member.diskExtraMs, () => {
      if (member.life !== life) return
      member.disk.write(batch)
      life.batch = null
      member.writeStartedMs = null
      this.input(member, { kind: 'persisted', mark: life.gate.batchDone() })
      if (batch.at(-1)?.kind !== 'truncate') return
      this.#later(1, () => {
        if (member.life !== life) return
        this.input(member, { kind: 'truncated', recovered: member.disk.recover() })
      })
    })
  }

  #readLog(member: Member, life: Life, effect: ReadLogEffect): void {
    this.#later(this.#between(this.#options.diskDelayMs ?? [2, 2]) + member.diskExtraMs, () => {
      if (member.life !== life) return
      const range = member.disk.readLog(effect)
      this.input(member, { kind: 'log-read', id: effect.id, range })
    })
  }

  readonly #lastArrival = new Map<string, number>()

  #transmit(from: Member, to: ServerId, bytes: Uint8Array): void {
    const target = this.member(to)
    const name = nameOf(from, target)
    const generation = this.#links.get(name)
    if (generation === undefined) return
    this.onFrame(from.sid, to, bytes)
    const way = `${from.sid}>${to}`
    const earliest = this.nowMs + this.#between(this.#options.linkDelayMs ?? [1, 1])
    const atMs = Math.max(earliest, this.#lastArrival.get(way) ?? 0)
    this.#lastArrival.set(way, atMs)
    this.#later(atMs - this.nowMs, () => {
      if (this.#links.get(name) !== generation) return
      this.input(target, { kind: 'frame', peer: from.sid, bytes })
    })
  }

  #connectLater(a: Member, b: Member): void {
    if (a.isObserver && b.isObserver) return
    this.#later(this.#options.reconnectMs ?? 20, () => {
      const name = nameOf(a, b)
      if (this.#links.has(name) || this.#cut.has(name)) return
      if (a.life === null || b.life === null) return
      this.#links.set(name, ++this.#generations)
      this.input(a, { kind: 'link-up', peer: b.sid })
      this.input(b, { kind: 'link-up', peer: a.sid })
    })
  }

  #closeLink(member: Member, other: Member): void {
    if (this.#links.delete(nameOf(member, other))) {
      this.#later(1, () => this.#linkDown(other, member, 'closed by peer'))
    }
    this.#connectLater(member, other)
  }

  #linkDown(member: Member, other: Member, reason: string): void {
    if (this.#links.has(nameOf(member, other))) return
    this.input(member, { kind: 'link-down', peer: other.sid, reason })
  }

  #tickLater(member: Member, life: Life): void {
    this.#later(TICK_MS, () => {
      if (member.life !== life) return
      const started = member.writeStartedMs
      const oldestAppendAgeMs = started === null ? 0 : this.nowMs - started
      if (!member.isFrozen) this.input(member, { kind: 'tick', oldestAppendAgeMs })
      this.#tickLater(member, life)
    })
  }

  #between([from, to]: readonly [number, number]): number {
    return from === to ? from : from + this.prng.next() * (to - from)
  }

  later(ms: number, run: () => void): void {
    this.#later(ms, run)
  }

  #later(ms: number, run: () => void): void {
    if (!Number.isFinite(ms)) return
    const planned = { atMs: this.nowMs + ms, order: this.#orders++, run }
    let low = 0
    let high = this.#plan.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#plan[middle]?.atMs ?? 0) <= planned.atMs) low = middle + 1
      else high = middle
    }
    this.#plan.splice(low, 0, planned)
  }
}

function nameOf(a: Member, b: Member): string {
  return a.sid < b.sid ? `${a.sid}-${b.sid}` : `${b.sid}-${a.sid}`
}
