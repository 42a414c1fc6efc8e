/**
 * acceptedEpoch and currentEpoch (Q66), and whether what currentEpoch vouches for is still there:
 * in memory as soon as the write is emitted.
 */
import { assert } from '../base/assert.ts'
import type { RecoveredState } from './effect.ts'
import type { EffectSink } from './effect-list.ts'

export class Epochs {
  readonly #out: EffectSink
  #accepted: number
  #current: number
  #lostTail: number
  #isDoubtful = false

  constructor(recovered: RecoveredState, lostTail: number, out: EffectSink) {
    this.#out = out
    this.#lostTail = lostTail
    this.#current = recovered.currentEpoch
    // To have entered an epoch implies to have accepted it (ZOOKEEPER-2307).
    this.#accepted = Math.max(recovered.acceptedEpoch, recovered.currentEpoch)
  }

  /** Highest epoch that this member promised not to go below. */
  get accepted(): number {
    return this.#accepted
  }

  /** Epoch of the last leader whose initial history this member has. */
  get current(): number {
    return this.#current
  }

  /** Entries lost from the end of the log since a leader last synchronised this member. */
  get lostTail(): number {
    return this.#lostTail
  }

  /** What this member has may be asked for, and voted with. */
  get isWitness(): boolean {
    return this.#lostTail === 0 && !this.#isDoubtful
  }

  /** Its state is not what its log makes: only a leader's snapshot helps. */
  get isDoubtful(): boolean {
    return this.#isDoubtful
  }

  doubt(): void {
    this.#isDoubtful = true
  }

  /** The storage was read again. */
  reread(lostTail: number): void {
    this.#lostTail = Math.max(this.#lostTail, lostTail)
  }

  accept(epoch: number): void {
    assert(epoch > this.#accepted, `epoch ${epoch} is accepted after ${this.#accepted}`)
    this.#accepted = epoch
    this.#out.push({ kind: 'accepted-epoch', epoch })
  }

  enter(epoch: number): void {
    // Written again after a loss: for the storage, too, that is what ends it.
    if (epoch === this.#current && this.isWitness) return
    this.entered(epoch)
    this.#out.push({ kind: 'current-epoch', epoch })
  }

  /**
   * An observer's only step: it is up to date in an epoch that a quorum established. It promised
   * nothing before, so a leader that came to nothing binds it to nothing, and what it says it
   * accepted is always older than any newer leader's epoch.
   */
  establish(epoch: number): void {
    if (epoch > this.#accepted) this.accept(epoch)
    this.enter(epoch)
  }

  /** The write is part of another effect (an installing snapshot). */
  entered(epoch: number): void {
    assert(epoch >= this.#current && epoch <= this.#accepted, `epoch ${epoch} is entered`)
    this.#current = epoch
    this.#lostTail = 0
    this.#isDoubtful = false
  }
}
