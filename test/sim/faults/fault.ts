/** What one fault finds: whom it hurts, its own chance, and how it ends. */
import type { Prng } from '../../../src/core/base/prng.ts'
import type { ObserverPlan } from '../observer-plan.ts'
import type { RoomPlan } from '../room/room-plan.ts'
import type { SimClient } from '../sim-client.ts'
import type { SimContext } from '../sim-context.ts'
import type { SimHost } from '../sim-host.ts'

/** The world, whose hosts and clients can be hurt. */
export interface FaultTargets extends SimContext {
  readonly hosts: readonly SimHost[]
  readonly voters: readonly SimHost[]
  readonly observers: ObserverPlan
  readonly room: RoomPlan | null
  readonly clients: readonly SimClient[]
  readonly startsByHand: boolean
}

export interface Scene {
  readonly world: FaultTargets
  /** Of this fault alone: what the others draw does not change with it. */
  readonly prng: Prng
  /** Anybody, but the leader as often as all others together. */
  readonly victim: SimHost
  /** Tells of it. Without `forMs` it is done at once, or its end is not known. */
  tell(what: string, sids: readonly number[], forMs?: number): void
  /** It has found something to hurt: counted once. */
  happens(): void
  /** Both, where it happens at once. */
  note(what: string, sids: readonly number[], forMs?: number): void
  /** `end` runs once: after so long, or when all faults end. */
  endsAfter(forMs: number, end: () => void): void
  /** May this member's storage lose what it acknowledged? Told as `lost`, it counts. */
  mayLose(host: SimHost): boolean
}

export type Fault = (scene: Scene) => void
