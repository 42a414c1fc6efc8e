/**
 * What members themselves tell. Leadership2 (T34): at most one leader per epoch. DigestEquality
 * (T46): members at one zxid have one tree. MembersMeet: at the end all are at one zxid.
 */
import type { Verdicts } from './history-events.ts'
import type { Recording } from './recording.ts'
import { hex, Rule } from './rule.ts'

export function checkMembers(verdicts: Verdicts, { roles, members }: Recording): void {
  const one = new Rule(verdicts, 'Leadership2')
  const equal = new Rule(verdicts, 'DigestEquality')
  const meet = new Rule(verdicts, 'MembersMeet')
  const leaders = new Map<number, number>()
  for (const { role, epoch, sid } of roles) {
    if (role !== 'leading' || epoch === undefined) continue
    const other = leaders.get(epoch) ?? sid
    leaders.set(epoch, other)
    one.holds(other === sid, () => `members ${other} and ${sid} both lead epoch ${epoch}`)
  }
  const [first] = members
  for (const { sid, zxid, digest } of members) {
    if (first === undefined) continue
    meet.holds(zxid === first.zxid, () => {
      return `member ${sid} is at ${hex(zxid)}, member ${first.sid} at ${hex(first.zxid)}`
    })
    if (zxid !== first.zxid || digest === null || first.digest === null) continue
    equal.holds(digest === first.digest, () => {
      return `the trees of members ${first.sid} and ${sid} differ at ${hex(zxid)}`
    })
  }
}
