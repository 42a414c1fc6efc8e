/** Where a host is to die: after some effects, or at a write of some kind. Armed by the faults. */
import type { PersistEffect } from '../../src/core/zab/effect.ts'

export type WriteMoment = 'before' | 'after'

export class CrashPlan {
  #boundaries: number | null = null
  #write: { readonly kind: PersistEffect['kind']; readonly moment: WriteMoment } | null = null
  #onBoundary: () => void = nothing
  #onWrite: () => void = nothing

  get isArmed(): boolean {
    return this.#boundaries !== null || this.#write !== null
  }

  /** `happens` is told when it comes to that. */
  afterEffects(count: number, happens: () => void = nothing): void {
    this.#boundaries = count
    this.#onBoundary = happens
  }

  atWrite(kind: PersistEffect['kind'], moment: WriteMoment, happens: () => void = nothing): void {
    this.#write = { kind, moment }
    this.#onWrite = happens
  }

  disarm(): void {
    this.#boundaries = null
    this.#write = null
  }

  hitsBoundary(): boolean {
    if (this.#boundaries === null || this.#boundaries-- > 0) return false
    this.disarm()
    this.#onBoundary()
    return true
  }

  hitsWrite(batch: readonly PersistEffect[]): boolean {
    return this.#hits(batch, 'before')
  }

  hitsDurable(batch: readonly PersistEffect[]): boolean {
    return this.#hits(batch, 'after')
  }

  /** At a step of the batch: how many are done then. null: not in this one. */
  hitsStep(batch: readonly PersistEffect[]): number | null {
    const plan = this.#write
    const at = plan === null ? -1 : batch.findIndex(({ kind }) => kind === plan.kind)
    if (plan === null || at < 0) return null
    this.disarm()
    this.#onWrite()
    return plan.moment === 'before' ? at : at + 1
  }

  #hits(batch: readonly PersistEffect[], moment: WriteMoment): boolean {
    const plan = this.#write
    if (plan?.moment !== moment || !batch.some(({ kind }) => kind === plan.kind)) return false
    this.disarm()
    this.#onWrite()
    return true
  }
}

function nothing(): void {}
