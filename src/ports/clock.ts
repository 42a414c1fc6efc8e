import type { Moment } from '../core/zab/effect.ts'

/** Both clocks at once; `elapsedMs` is monotonic within this process. */
export interface Clock {
  now(): Moment
}
