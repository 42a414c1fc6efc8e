/** How slow a learner may be. */
import type { LearnerHandler } from './learner-handler.ts'
import type { ZabConfig } from './role.ts'

/** Silent, or further behind than it may be (Q49, Q50): why it has to begin anew, or null. */
export function whyTooSlow(
  handler: LearnerHandler,
  nowMs: number,
  lagBytes: number,
  lagBytesMax: number,
  config: ZabConfig,
): string | null {
  const ticks = handler.phase === 'synced' ? config.syncLimitTicks : config.initLimitTicks
  const limitMs = ticks * config.tickTimeMs
  if (nowMs - handler.lastPacketMs > limitMs) return `is silent for ${ticks} ticks`
  if (handler.oldestUnackedMs(nowMs) > limitMs) return `acks too late`
  return lagBytes > lagBytesMax ? `is ${lagBytes} bytes behind` : null
}
