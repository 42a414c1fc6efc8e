/**
 * What becomes of a write that does not end well. A database writes a batch as a whole or not at
 * all; files are written one step of the batch after another (src/adapters/files), so what a death
 * or a full disk leaves there is any prefix of it.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import type { PersistEffect } from '../../src/core/zab/effect.ts'
import type { CrashPlan } from './crash-plan.ts'
import type { Disks } from './draw.ts'

export class DiskTrouble {
  /** The next write is refused, as by a quota, and this is told of it. */
  failsNext: (() => void) | null = null
  /** … and this one, and all after it. */
  whileFull: (() => void) | null = null
  readonly #disks: Disks
  readonly #prng: Prng

  constructor(disks: Disks, prng: Prng) {
    this.#disks = disks
    this.#prng = prng
  }

  /** Asked once for each write. */
  refuses(): boolean {
    if (this.failsNext === null && this.whileFull === null) return false
    this.failsNext?.()
    this.whileFull?.()
    this.failsNext = null
    return true
  }

  /** How many of a write that was not done whole are on disk. null: as if not begun. */
  stepsDone(batch: readonly PersistEffect[]): number | null {
    if (this.#disks === 'whole' || batch.length === 0) return null
    return this.#prng.int(batch.length) || null
  }

  /** How many of a batch are on the disk where the plan wants death. null: nowhere in this one. */
  diesAt(plan: CrashPlan, batch: readonly PersistEffect[]): number | null {
    if (this.#disks === 'prefix') return plan.hitsStep(batch)
    return plan.hitsDurable(batch) ? batch.length : null
  }

  /** Does the plan want death before anything of the batch is written? */
  diesBefore(plan: CrashPlan, batch: readonly PersistEffect[]): boolean {
    return this.#disks === 'whole' && plan.hitsWrite(batch)
  }
}
