/**
 * One member: the loop that tabs and servers run (runtime/member.ts), on virtual time, a virtual
 * network and a disk in memory.
 */
import { MemoryDisk } from '../adapters/memory/memory-disk.ts'
import type { Prng } from '../core/base/prng.ts'
import { encodeUtf8 } from '../core/base/utf8.ts'
import { toServerId, type ServerId } from '../core/base/zxid.ts'
import { emptySnapshotChunk, type MemberConfig } from '../core/server/member-machine.ts'
import type { MemberStatus } from '../core/server/member-status.ts'
import type { DataTree } from '../core/tree/data-tree.ts'
import type { Moment, PersistEffect, Role, TraceEvent } from '../core/zab/effect.ts'
import { Member } from '../runtime/member.ts'
import type { StorageFailure } from './ensemble-faults.ts'
import type { PipeEnd } from './pipe-end.ts'
import type { Station } from './station.ts'
import type { VirtualNetwork } from './virtual-network.ts'
import { VirtualProcess } from './virtual-process.ts'
import { VirtualStorage } from './virtual-storage.ts'
import type { VirtualTime } from './virtual-time.ts'

/** ms of half a write; some disks take longer at times. */
const DISK_MS: readonly [number, number] = [0.1, 2]
const SLOW_DISK_MS: readonly [number, number] = [2, 30]
const SLOW_DISK_CHANCE = 0.02

/** What a member is told of what it is in. */
export interface MemberSurroundings {
  readonly time: VirtualTime
  readonly network: VirtualNetwork
  readonly prng: Prng
  readonly wallBaseMs: number
  readonly config: Omit<MemberConfig, 'sid' | 'seed' | 'peerType'>
  readonly onTrace: (member: VirtualMember, event: TraceEvent) => void
  readonly onDurable: (member: VirtualMember, batch: readonly PersistEffect[]) => void
  /** It ended by itself. */
  readonly onHalt: (member: VirtualMember, reason: string) => void
}

export class VirtualMember implements Station {
  readonly number: number
  readonly sid: ServerId
  readonly isObserver: boolean
  readonly #around: MemberSurroundings
  readonly #prng: Prng
  readonly links: Map<VirtualMember, PipeEnd> = new Map<VirtualMember, PipeEnd>()
  process: VirtualProcess
  #disk: MemoryDisk = foundedDisk()
  #member: Member | null = null
  #isFounded = true
  #role: Role = 'looking'
  #leader: number | null = null
  #haltReason: string | null = null
  #lives = 0
  #failure: StorageFailure | null = null
  #bornMs = 0

  constructor(around: MemberSurroundings, number: number, isObserver: boolean) {
    this.#around = around
    this.number = number
    this.sid = toServerId(number)
    this.isObserver = isObserver
    this.#prng = around.prng.fork(`member ${number}`)
    this.process = new VirtualProcess(around.time, this.#prng)
    this.process.end()
  }

  get name(): string {
    return `member ${this.number}`
  }

  /** It runs; it may be frozen. */
  get isUp(): boolean {
    return this.#member !== null
  }

  /** Its storage knows the ensemble: one that was wiped belongs to nobody. */
  get isFounded(): boolean {
    return this.#isFounded
  }

  /** Why it ended by itself; null: it did not. */
  get haltReason(): string | null {
    return this.#haltReason
  }

  get isServing(): boolean {
    return this.#member?.server.isServing === true
  }

  /** As it said last. */
  get role(): Role | null {
    return this.#member === null ? null : this.#role
  }

  /** Number of the leader that it serves under, itself included. */
  get leader(): number | null {
    return this.isServing ? this.#leader : null
  }

  /** Everything that can be said of it; takes a while. */
  get status(): MemberStatus | null {
    return this.#member?.status() ?? null
  }

  get tree(): DataTree | null {
    return this.#member?.server.tree ?? null
  }

  start(): void {
    if (this.#member !== null) throw new Error(`${this.name} runs already`)
    const { time } = this.#around
    this.#lives++
    this.#failure = null
    this.#haltReason = null
    this.process = new VirtualProcess(time, this.#prng)
    // Clocks of processes have nothing in common.
    this.#bornMs = time.nowMs - this.#prng.next() * 10_000
    if (this.#disk.wiped) this.#disk = new MemoryDisk()
    const life = this.process
    const recovered = this.#disk.recoverSync()
    this.#isFounded = recovered.snapshot !== null
    const storage = new VirtualStorage(this.#disk, {
      token: `${this.number}.${this.#lives}`,
      delay: () => life.sleep(this.#diskMs()),
      failure: () => this.#failure,
      onDurable: (batch) => this.#around.onDurable(this, batch),
    })
    this.#member = new Member({
      config: this.#config(),
      storage,
      recovered,
      clock: { now: () => this.#now() },
      every: (intervalMs, run) => life.every(intervalMs, run),
      isRecorded: false,
      onTrace: (event) => this.#onTrace(event),
      onHalt: (reason) => {
        if (this.process === life) this.#onHalt(reason)
      },
    })
  }

  /** Like kill -9. */
  kill(): void {
    if (this.#member === null) return
    const member = this.#member
    this.#member = null
    this.process.end()
    this.#disk.crash()
    this.#around.network.vanish(this)
    this.links.clear()
    // Its handlers are gone with its process; this frees what the loop holds.
    member.stop('killed')
  }

  attachLink(peer: VirtualMember, end: PipeEnd): void {
    this.links.set(peer, end)
    this.#member?.attachLink(peer.sid, end)
  }

  attachClient(end: PipeEnd): void {
    if (this.#member === null) end.close('connection refused')
    else this.#member.attachClient(end, end.peer.name)
  }

  failStorage(failure: StorageFailure): void {
    this.#failure = failure
  }

  wipeStorage(): void {
    this.#disk.wipe()
  }

  #onTrace(event: TraceEvent): void {
    if (event.type === 'role') this.#role = event.role
    else if (event.type === 'established') this.#leader = event.leader
    this.#around.onTrace(this, event)
  }

  #onHalt(reason: string): void {
    this.#member = null
    this.#haltReason = reason
    this.process.end()
    this.links.clear()
    this.#around.onHalt(this, reason)
  }

  #now(): Moment {
    const { nowMs } = this.#around.time
    return { elapsedMs: nowMs - this.#bornMs, wallMs: Math.floor(this.#around.wallBaseMs + nowMs) }
  }

  #config(): MemberConfig {
    const own = { sid: this.sid, seed: this.#prng.uint32() }
    const { config } = this.#around
    return this.isObserver ? { ...config, ...own, peerType: 'observer' } : { ...config, ...own }
  }

  #diskMs(): number {
    const [low, high] = this.#prng.bool(SLOW_DISK_CHANCE) ? SLOW_DISK_MS : DISK_MS
    return low + this.#prng.next() * (high - low)
  }
}

/** As a founding leaves it (Q18, P15). */
function foundedDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.pinFoundingSync(encodeUtf8('an ensemble under test'), emptySnapshotChunk())
  return disk
}
