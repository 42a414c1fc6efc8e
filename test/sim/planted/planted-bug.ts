/**
 * A bug put in from outside, to prove that the checkers see it. The true code has none of these.
 */
import type { MakeEventDelivery } from '../../../src/core/server/event-delivery.ts'
import type { ZabRules } from '../../../src/core/zab/rules.ts'
import type { HostView } from '../host-view.ts'
import type { Remove } from './replaced.ts'

export interface PlantedBug {
  readonly name: string
  /** What the member does wrong. */
  readonly what: string
  /** Rules of which one must find it: what another one says of it may be a symptom. */
  readonly foundBy: readonly string[]
  /** Rules that find it too, where no other one ends the run before. */
  readonly alsoFoundBy?: readonly string[]
  readonly zabRules?: Partial<ZabRules>
  readonly delivery?: MakeEventDelivery
  /** Replaces methods of the core for a run, where there is no seam. */
  readonly plant?: () => Remove
  /** A clock of its own; the default is the true one. */
  readonly elapsedMs?: (host: HostView) => number
  /** A member whose storage was wiped is founded anew under its old sid. */
  readonly refoundsWiped?: boolean
  /** Peers take a member back whose storage was rolled back. */
  readonly admitsRolledBack?: boolean
  /** Members elect who has less than what the ensemble began with. */
  readonly forgetsOrigin?: boolean
  /** Each page of a room takes itself for the one that made the link. */
  readonly everyoneCreates?: boolean
  /** A page says that its record is on disk when it only asked for that. */
  readonly pinsLater?: boolean
  /** A page that no seat was given to takes one that nobody sits on. */
  readonly takesFreeSeat?: boolean
}

export const NO_BUG: PlantedBug = { name: 'none', what: 'the true code', foundBy: [] }
