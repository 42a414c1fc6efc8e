/** What a tab tells its page of the scenario. */
import type { Role } from './casting.ts'

export interface Step {
  readonly role: Role
  readonly text: string
  readonly path: string | null
  readonly sessionId: bigint
}

export type ScenarioState =
  /** No session yet: the ensemble is not whole, or this tab lost it. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly roles: readonly Role[]; readonly sessionId: bigint }
  /** The client has seen it; the programs go on living. */
  | { readonly kind: 'finished'; readonly text: string }
  /** `others`: tabs that have not left the stage yet. */
  | { readonly kind: 'stopping'; readonly again: boolean }

export interface ScenarioView {
  state(state: ScenarioState): void
  /** A new run: the steps of the former one go. */
  clear(): void
  step(step: Step): void
  /** Of the last step of this role. */
  outcome(role: Role, text: string): void
  /** One sentence for the person at this tab; null: nothing to say. */
  say(text: string | null): void
  pace(pauseMs: number): void
}
