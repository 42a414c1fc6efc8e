/** Which of the faults that a run draws are to happen, and which did. */
import type { FaultKind } from '../draw.ts'
import type { RoomFaultKind } from '../room/room-fault-kinds.ts'

/** In the order in which they are drawn, from 1 on: 3 of an ensemble, r3 of its room. */
export type FaultId = number | `r${number}`
export type AnyFaultKind = FaultKind | RoomFaultKind

/** By their ids, or all of a kind. */
export type ChosenFaults = ReadonlySet<FaultId | AnyFaultKind>

export interface InjectedFault {
  readonly id: FaultId
  readonly kind: AnyFaultKind
}

export class FaultChoice {
  /** null: all. */
  readonly #only: ChosenFaults | null
  readonly #injected: InjectedFault[] = []

  constructor(only: ChosenFaults | null) {
    this.#only = only
  }

  /** In the order in which they happened. */
  get injected(): readonly InjectedFault[] {
    return this.#injected
  }

  /** Is this one to happen now? Then it counts as injected. */
  takes(id: FaultId, kind: AnyFaultKind): boolean {
    if (this.#only !== null && !this.#only.has(id) && !this.#only.has(kind)) return false
    this.#injected.push({ id, kind })
    return true
  }
}
