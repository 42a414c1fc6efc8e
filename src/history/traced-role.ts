/** Roles of members, from the trace that they tell. */
import type { RecordedRole } from './recording.ts'

/** What is needed of a member's trace event. */
export interface TracedEvent {
  readonly type: string
  readonly role?: string
  readonly epoch?: number
  readonly leader?: number
}

/**
 * null: says nothing about roles. A leader counts from the moment at which it is established: only
 * then it has its epoch, which no other may have.
 */
export function roleOfTrace(sid: number, atMs: number, event: TracedEvent): RecordedRole | null {
  const { type, role, epoch, leader } = event
  if (type === 'established' && epoch !== undefined) {
    return { atMs, sid, role: leader === sid ? 'leading' : 'following', epoch }
  }
  if (type !== 'role') return null
  switch (role) {
    case 'looking':
    case 'following':
    case 'leading':
    case 'observing':
      return { atMs, sid, role }
    default:
      return null
  }
}
