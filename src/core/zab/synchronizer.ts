/**
 * Brings learners to the leader's history, or observers to what a follower has of it: from memory,
 * from its log on disk, or by a snapshot.
 *
 * From the disk (snapshotSizeFactor, Q30): the log is read behind what the learner has, part by
 * part, until the parts reach the window in memory; then everything leaves as one DIFF or TRUNC.
 * Nothing is said to the learner before, so whatever is wrong with the log (it does not go back so
 * far, has a hole, is longer than it is worth) ends in a SNAP of the same conversation.
 *
 * Invariants:
 * - what is read is committed and durable when it is asked for, so all of it may be sent as
 *   committed; what comes meanwhile is in the window, or makes one more part;
 * - one learner at a time, voters first: of entries that were read no more are in memory than
 *   logDiffBytesMax and one part.
 */
import { makeZxid, type ServerId, type Zxid } from '../base/zxid.ts'
import { PacketType } from '../jute/quorum-records.ts'
import type { Broadcast } from './broadcast.ts'
import {
  LOG_DIFF_BYTES_MAX,
  LOG_READ_BYTES,
  LOG_TRUNC_COUNT_MAX,
  OBSERVER_DIFFS_MAX,
  OBSERVER_SNAPS_MAX,
  SNAPSHOT_SIZE_FACTOR,
} from './constants.ts'
import type { LogEntry, LogRange, Moment } from './effect.ts'
import type { LearnerHandler } from './learner-handler.ts'
import { encodePacket, isNext } from './packets.ts'
import type { RoleContext } from './role.ts'
import { SNAP, type LearnerPosition, type SyncChoice, type SyncPlan } from './synchronization.ts'

/** One learner whose history comes from the disk. */
interface LogTransfer {
  readonly handler: LearnerHandler
  readonly position: LearnerPosition
  readonly bytesMax: number
  readonly entries: LogEntry[]
  bytes: number
  /** null: nothing is read yet. */
  plan: SyncPlan | null
  /** Nothing more is to be read; what was is on its way to the learner. */
  isRead: boolean
}

export class Synchronizer {
  readonly #context: RoleContext
  readonly #broadcast: Pick<Broadcast, 'outstanding'>
  readonly #epoch: number
  readonly #handlers: ReadonlyMap<ServerId, LearnerHandler>
  /** The first one is served, the others wait. */
  #transfers: LogTransfer[] = []
  /** Of the reading under way, 0 = none. */
  #readId = 0
  /**
   * Left while they were brought from the log: they get a snapshot next, whose pace is theirs. A
   * slow link would else begin the same DIFF for ever.
   */
  readonly #lost = new Set<ServerId>()

  constructor(
    context: RoleContext,
    broadcast: Pick<Broadcast, 'outstanding'>,
    epoch: number,
    handlers: ReadonlyMap<ServerId, LearnerHandler>,
  ) {
    this.#context = context
    this.#broadcast = broadcast
    this.#epoch = epoch
    this.#handlers = handlers
  }

  /** Of a learner that waits. An observer may have to wait on. */
  begin(handler: LearnerHandler, at: Moment): void {
    const { position } = handler
    if (position === null) return
    const choice = this.#choose(handler, position)
    if (handler.isObserver && !this.#mayBring(choice.mode === 'SNAP')) return
    if (choice.mode !== 'LOG') {
      this.#bring(handler, choice, [], at)
      return
    }
    handler.phase = 'reading'
    const bytesMax = this.#logBytesMax()
    const transfer = { handler, position, bytesMax, entries: [], bytes: 0, plan: null }
    const observers = this.#transfers.findIndex((one, i) => i > 0 && one.handler.isObserver)
    const place = handler.isObserver || observers < 0 ? this.#transfers.length : observers
    this.#transfers.splice(place, 0, { ...transfer, isRead: false })
  }

  /** At the end of every step. */
  onTime(at: Moment): void {
    while (this.#readId === 0) {
      const first = this.#transfers[0]
      if (first === undefined) return
      if (!first.isRead) this.#read(first, at)
      else if (first.handler.sendsLog) return
      else this.#transfers.shift()
    }
  }

  onLogRead(id: number, range: LogRange | null, at: Moment): void {
    const first = this.#transfers[0]
    // To a question of an earlier term, or of a learner that is gone.
    if (id !== this.#readId || first === undefined) return
    this.#readId = 0
    const plan = range === null ? null : this.#take(first, range)
    const last = first.entries.at(-1)
    if (plan === null || last === undefined) {
      this.#giveUp(first, at)
    } else if (last.zxid >= this.#context.tail.committed.base) {
      first.isRead = true
      this.#bring(first.handler, plan, first.entries, at)
    }
  }

  /** Its conversation is over. */
  forget(handler: LearnerHandler): void {
    if (handler.isFromLog && handler.phase === 'synchronising') this.#lost.add(handler.peer)
    if (this.#transfers[0]?.handler === handler) this.#readId = 0
    this.#transfers = this.#transfers.filter((one) => one.handler !== handler)
  }

  stop(): void {
    this.#transfers = []
    this.#readId = 0
  }

  #choose(handler: LearnerHandler, position: LearnerPosition): SyncChoice {
    const { config, rules, tail } = this.#context
    if (config.alwaysSendsSnapshot === true) return SNAP
    const choice = rules.chooseSync(tail.committed, position)
    if (choice.mode !== 'LOG') return choice
    if (this.#lost.delete(handler.peer)) handler.needsSnapshot = true
    return handler.needsSnapshot || this.#logBytesMax() === 0 ? SNAP : choice
  }

  /** What reading the log may bring at most; 0 = it is not read. For learners that need it. */
  #logBytesMax(): number {
    const { config, replica } = this.#context
    const { snapshotSizeFactor: factor = SNAPSHOT_SIZE_FACTOR } = config
    const { logDiffBytesMax: bytesMax = LOG_DIFF_BYTES_MAX } = config
    if (factor <= 0) return factor < 0 ? 0 : bytesMax
    // What it is measured by is the snapshot that would be sent instead.
    const source = replica.beginSnapshot()
    source.cancel()
    return Math.min(bytesMax, Math.floor(factor * source.sizeBytes))
  }

  #read(transfer: LogTransfer, at: Moment): void {
    const { out, rules, tail } = this.#context
    const after = transfer.entries.at(-1)?.zxid ?? transfer.position.lastZxid
    const upTo = rules.readableUpTo(tail)
    if (upTo <= after) {
      this.#giveUp(transfer, at)
      return
    }
    this.#readId = out.newReadId()
    out.push({ kind: 'read-log', id: this.#readId, after, upTo, bytesMax: LOG_READ_BYTES })
  }

  /** null: it is not what the learner can be brought up to date with. */
  #take(transfer: LogTransfer, { from, entries }: LogRange): SyncPlan | null {
    const { entries: taken, position, bytesMax } = transfer
    let last: Zxid = taken.at(-1)?.zxid ?? from
    if (last !== from || entries.length === 0) return null
    transfer.plan ??= this.#context.rules.planFromLog(from, position)
    for (const entry of entries) {
      if (!isNext(last, entry.zxid)) return null
      last = entry.zxid
      taken.push(entry)
      transfer.bytes += entry.entry.length
    }
    const { mode } = transfer.plan
    const isTooMuch = mode === 'TRUNC' && taken.length > LOG_TRUNC_COUNT_MAX
    return mode === 'SNAP' || isTooMuch || transfer.bytes > bytesMax ? null : transfer.plan
  }

  /** The log is no help. */
  #giveUp(transfer: LogTransfer, at: Moment): void {
    const { handler } = transfer
    transfer.isRead = true
    handler.needsSnapshot = true
    handler.phase = 'waiting'
    this.begin(handler, at)
  }

  /**
   * All in one step, so that no proposal or commit falls between the history and the live stream
   * (Q34): history, proposals in flight, NEWLEADER, and from here on everything new.
   */
  #bring(handler: LearnerHandler, plan: SyncPlan, older: readonly LogEntry[], at: Moment): void {
    const { rules } = this.#context
    handler.beginSync(plan, older, at.elapsedMs)
    // An observer gets what is committed, nothing else.
    const inFlight = handler.isObserver ? [] : rules.handOver(this.#broadcast.outstanding)
    for (const { zxid, packet } of inFlight) handler.sendTransaction(zxid, packet, at.elapsedMs)
    handler.send(encodePacket(PacketType.NEWLEADER, makeZxid(this.#epoch, 0)))
  }

  /** Observers wait for each other; voters never do (Q41). */
  #mayBring(isSnapshot: boolean): boolean {
    const { observerSnapsMax, observerDiffsMax } = this.#context.config
    const underWay = [...this.#handlers.values()].filter((one) => {
      if (!one.isObserver) return false
      if (isSnapshot) return one.sendsSnapshot
      return one.phase === 'reading' || (one.phase === 'synchronising' && !one.sendsSnapshot)
    })
    const max = isSnapshot
      ? (observerSnapsMax ?? OBSERVER_SNAPS_MAX)
      : (observerDiffsMax ?? OBSERVER_DIFFS_MAX)
    return underWay.length < max
  }
}
