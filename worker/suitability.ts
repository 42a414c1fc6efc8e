import { parseFoundingRecord } from '../src/core/founding/founding-record.ts'
import { heldBy } from '../src/core/founding/founding-rules.ts'
import type { MemberMeta } from '../src/ports/storage.ts'

/**
 * How well a stored identity fits the link of this tab: a member of the ensemble that the link
 * names first, then the creator whom it names (an incarnation begins with its key's CREATOR), then
 * any spare one. An identity of another ensemble is left alone.
 */
export function suitability(
  creator: string | null,
  cluster: string | null,
): (meta: MemberMeta, incarnation: string) => number | null {
  return (meta, incarnation) => {
    const signed = meta.founding === null ? null : parseFoundingRecord(meta.founding)
    if (signed === null) return creator !== null && incarnation.startsWith(creator) ? 1 : 0
    const held = heldBy(signed)
    if (creator !== null && held.creator !== creator) return null
    if (cluster !== null && held.cluster !== cluster) return null
    // A voter before a client that pinned the same record: votes are what an ensemble needs.
    return signed.record.members.some((member) => member.incarnation === incarnation) ? 3 : 2
  }
}
