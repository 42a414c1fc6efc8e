/**
 * A bug put in from outside, to prove that the checkers see it. The true code has none of these.
 */
import type { MakeEventDelivery } from '../../../src/core/server/event-delivery.ts'
import type { ZabRules } from '../../../src/core/zab/rules.ts'
import type { HostView } from '../host-view.ts'

export interface PlantedBug {
  readonly name: string
  /** What the member does wrong. */
  readonly what: string
  readonly zabRules?: Partial<ZabRules>
  readonly delivery?: MakeEventDelivery
  /** A clock of its own; the default is the true one. */
  readonly elapsedMs?: (host: HostView) => number
  /** A member whose storage was wiped is founded anew under its old sid. */
  readonly refoundsWiped?: boolean
  /** Peers take a member back whose storage was rolled back. */
  readonly admitsRolledBack?: boolean
  /** Members elect who has less than what the ensemble began with. */
  readonly forgetsOrigin?: boolean
}

export const NO_BUG: PlantedBug = { name: 'none', what: 'the true code' }
