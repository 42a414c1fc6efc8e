import { expect, it } from 'vitest'
import { judgeHistory } from '../../src/history/judge-history.ts'
import { EnsembleRecording } from '../../src/playwright/ensemble-recording.ts'
import type { Member } from '../../src/playwright/member.ts'

/** What a recording asks of a member; `onRead` happens while its log is read. */
function member(number: number, onRead: () => void = () => {}): Member {
  const page = {
    evaluate: async () => {
      onRead()
      return []
    },
  }
  const made = {
    ...{ number, page, isUp: true, isFrozen: false, identity: `member ${number}`, traces: [] },
    status: { member: { serving: true, zxid: '0x100000079', treeDigest: '7' } },
  }
  return made as unknown as Member
}

it('compares members as they were at rest, whatever happens while the log is read', async () => {
  const late = member(2)
  const first = member(1, () => {
    const { status } = first
    Object.assign(status?.member ?? {}, { zxid: '0x10000007a', treeDigest: '8' })
  })
  const recording = await new EnsembleRecording().finish('at rest', [first, late])
  expect(recording.members.map(({ zxid }) => zxid)).toEqual([0x100000079n, 0x100000079n])
  expect(judgeHistory(recording).violations).toEqual([])
})
