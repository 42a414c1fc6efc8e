/** acceptedEpoch and currentEpoch (Q66): in memory as soon as the write is emitted. */
import { assert } from '../base/assert.ts'
import type { RecoveredState } from './effect.ts'
import type { EffectSink } from './effect-list.ts'

export class Epochs {
  readonly #out: EffectSink
  #accepted: number
  #current: number

  constructor(recovered: RecoveredState, out: EffectSink) {
    this.#out = out
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

  accept(epoch: number): void {
    assert(epoch > this.#accepted, `epoch ${epoch} is accepted after ${this.#accepted}`)
    this.#accepted = epoch
    this.#out.push({ kind: 'accepted-epoch', epoch })
  }

  enter(epoch: number): void {
    if (epoch === this.#current) return
    this.entered(epoch)
    this.#out.push({ kind: 'current-epoch', epoch })
  }

  /** The write is part of another effect (an installing snapshot). */
  entered(epoch: number): void {
    assert(epoch > this.#current && epoch <= this.#accepted, `epoch ${epoch} is entered`)
    this.#current = epoch
  }
}
