/**
 * The leader's proposals between proposing and committing (Q43). Two phases without abort: logged
 * and sent at once, committed in order when a quorum has it on disk.
 */
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import {
  counterOf,
  formatZxid,
  makeZxid,
  nextZxid,
  type ServerId,
  type Zxid,
} from '../base/zxid.ts'
import { PacketType } from '../jute/quorum-records.ts'
import { COUNTER_ROLLOVER } from './constants.ts'
import type { LogEntry, Moment } from './effect.ts'
import { BARE_PACKET_BYTES, encodePacket } from './packets.ts'
import type { RoleContext } from './role.ts'

/** One transaction on its way to commit. */
export class Proposal {
  readonly zxid: Zxid
  readonly entry: Uint8Array
  readonly acks: Set<ServerId> = new Set()
  #packet: Uint8Array | null = null

  constructor({ zxid, entry }: LogEntry) {
    this.zxid = zxid
    this.entry = entry
  }

  get packetBytes(): number {
    return BARE_PACKET_BYTES + this.entry.length
  }

  /** The PROPOSAL, encoded once for all followers; a leader alone needs none. */
  get packet(): Uint8Array {
    this.#packet ??= encodePacket(PacketType.PROPOSAL, this.zxid, this.entry)
    return this.#packet
  }
}

interface Waiting {
  readonly zxid: Zxid
  readonly then: () => void
}

export class Broadcast {
  readonly #context: RoleContext
  readonly #onCommit: (proposal: Proposal, at: Moment) => void
  readonly #outstanding: Deque<Proposal> = new Deque<Proposal>()
  readonly #waiting: Deque<Waiting> = new Deque<Waiting>()
  #outstandingBytes = 0
  /** Allocated by the server; ≥ lastProposed. */
  #lastAllocated: Zxid
  #lastProposed: Zxid
  /** Proposals up to here have the leader's own ack. */
  #ownAcked: Zxid

  constructor(
    context: RoleContext,
    epoch: number,
    onCommit: (proposal: Proposal, at: Moment) => void,
  ) {
    this.#context = context
    this.#onCommit = onCommit
    this.#lastAllocated = makeZxid(epoch, 0)
    this.#lastProposed = this.#lastAllocated
    this.#ownAcked = this.#lastAllocated
  }

  /** (epoch, 0) before the first proposal. */
  get lastProposed(): Zxid {
    return this.#lastProposed
  }

  get outstanding(): readonly Proposal[] {
    return [...this.#outstanding]
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes
  }

  get isIdle(): boolean {
    return this.#outstanding.length === 0
  }

  allocate(): Zxid {
    this.#lastAllocated = nextZxid(this.#lastAllocated)
    return this.#lastAllocated
  }

  propose(zxid: Zxid, entry: Uint8Array): Proposal {
    if (zxid !== this.#lastProposed + 1n || zxid > this.#lastAllocated) {
      assert(false, `proposal ${formatZxid(zxid)} after ${formatZxid(this.#lastProposed)}`)
    }
    this.#lastProposed = zxid
    const logged: LogEntry = { zxid, entry }
    const proposal = new Proposal(logged)
    this.#outstanding.pushBack(proposal)
    this.#outstandingBytes += proposal.packetBytes
    // Without the proposal: the newest entries are kept long after their acks are counted.
    this.#context.tail.append(logged)
    if (counterOf(zxid) >= COUNTER_ROLLOVER) this.#context.leave('the zxid counter is used up')
    return proposal
  }

  /** The leader's own ack, as far as its disk is (Q43). */
  ackOwn(at: Moment): void {
    const { rules, tail, config } = this.#context
    const upTo = rules.ownAcked(tail)
    if (upTo <= this.#ownAcked) return
    const oldest = this.#outstanding.peekFront()
    if (oldest !== undefined) {
      const first = Math.max(0, Number(this.#ownAcked + 1n - oldest.zxid))
      for (let i = first; i < this.#outstanding.length; i++) {
        const proposal = this.#outstanding.at(i)
        if (proposal.zxid > upTo) break
        this.#count(config.sid, proposal, at)
      }
    }
    this.#ownAcked = upTo
    this.#commitReady(at)
  }

  /** Returns false for an ack of what was never proposed. */
  ack(from: ServerId, zxid: Zxid, at: Moment): boolean {
    if (zxid > this.#lastProposed) return false
    const oldest = this.#outstanding.peekFront()
    // Committed meanwhile, or synchronised and so never counted.
    if (oldest === undefined || zxid < oldest.zxid) return true
    this.#count(from, this.#outstanding.at(Number(zxid - oldest.zxid)), at)
    if (zxid === oldest.zxid) this.#commitReady(at)
    return true
  }

  /**
   * A learner left: its acks are void. It may be truncated when it comes back, and a commit that
   * counts an entry which is no longer on that disk can be lost.
   */
  forget(learner: ServerId): void {
    for (const proposal of this.#outstanding) proposal.acks.delete(learner)
  }

  whenCaughtUp(then: () => void): void {
    if (this.isIdle) then()
    else this.#waiting.pushBack({ zxid: this.#lastProposed, then })
  }

  #count(from: ServerId, proposal: Proposal, at: Moment): void {
    proposal.acks.add(from)
    this.#context.replica.witness?.acknowledged(from, proposal.entry, at)
  }

  #commitReady(at: Moment): void {
    const { replica, tail, verifier } = this.#context
    for (;;) {
      const oldest = this.#outstanding.peekFront()
      // In order: nothing is committed before what was proposed before it.
      if (oldest === undefined || !verifier.containsQuorum(oldest.acks)) return
      this.#outstanding.popFront()
      this.#outstandingBytes -= oldest.packetBytes
      this.#onCommit(oldest, at)
      replica.witness?.committed(oldest.entry, at)
      replica.deliver(tail.commitOldest(), at)
      this.#wake(oldest.zxid)
    }
  }

  #wake(committed: Zxid): void {
    for (;;) {
      const first = this.#waiting.peekFront()
      if (first === undefined || first.zxid > committed) return
      this.#waiting.popFront()
      first.then()
    }
  }
}
