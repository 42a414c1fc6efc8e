/** Placeholder signature; the zab owner replaces this file. */
import type { ServerId } from '../base/zxid.ts'
import type { PersistEffect, SendEffect, ZabEffect } from '../zab/effect.ts'

export interface OutgoingFrame {
  readonly peer: ServerId
  readonly bytes: Uint8Array
}

/** The gate is generic in what it lets through untouched. */
export interface EffectGateApi<E extends { readonly kind: string }> {
  offer(effects: readonly (E | ZabEffect)[]): void
  takeBatch(): readonly PersistEffect[] | null
  /** The batch given last is durable. Returns the new mark. */
  batchDone(): number
  takeFrames(): readonly OutgoingFrame[]
  takeOthers(): readonly Exclude<E, PersistEffect | SendEffect>[]
  /** True while a batch is in flight. */
  readonly inFlight: boolean
}
