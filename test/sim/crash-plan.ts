/** Where a host is to die: after some effects, or at a write of some kind. Armed by the faults. */
import type { PersistEffect } from '../../src/core/zab/effect.ts'

export type WriteMoment = 'before' | 'after'

export class CrashPlan {
  #boundaries: number | null = null
  #write: { readonly kind: PersistEffect['kind']; readonly moment: WriteMoment } | null = null

  get isArmed(): boolean {
    return this.#boundaries !== null || this.#write !== null
  }

  afterEffects(count: number): void {
    this.#boundaries = count
  }

  atWrite(kind: PersistEffect['kind'], moment: WriteMoment): void {
    this.#write = { kind, moment }
  }

  disarm(): void {
    this.#boundaries = null
    this.#write = null
  }

  hitsBoundary(): boolean {
    if (this.#boundaries === null || this.#boundaries-- > 0) return false
    this.disarm()
    return true
  }

  hitsWrite(batch: readonly PersistEffect[]): boolean {
    return this.#hits(batch, 'before')
  }

  hitsDurable(batch: readonly PersistEffect[]): boolean {
    return this.#hits(batch, 'after')
  }

  #hits(batch: readonly PersistEffect[], moment: WriteMoment): boolean {
    const plan = this.#write
    if (plan?.moment !== moment || !batch.some(({ kind }) => kind === plan.kind)) return false
    this.disarm()
    return true
  }
}
