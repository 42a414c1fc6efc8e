/** Storages that fail under a member, and what it says and becomes then. */
import { expect } from 'playwright/test'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import type { Member } from '../../src/playwright/member.ts'
import type { TabClient } from '../../src/playwright/tab-client.ts'

const SAID = {
  quota: /no more disk space/,
  hangs: /took too long/,
  closed: /closed the storage/,
  wiped: /storage was deleted/,
} as const

/** It fails, says why, and after a reload it is who it was; with a wiped one it does not vote. */
export async function failAndReload(
  room: Ensemble,
  victim: Member,
  fault: keyof typeof SAID,
  writer: TabClient,
): Promise<void> {
  if (fault === 'wiped') await room.wipeStorage(victim)
  else await room.failStorage(victim, fault, { limitMs: 500 })
  await writer.setData('/x', fault)
  await victim.until(() => victim.status?.phase === 'failed', { what: `${fault}: it failed` })
  expect(victim.status?.text).toMatch(SAID[fault])
  await room.reload(victim)
  await room.waitForWhole()
  // Nobody votes as somebody whose storage is gone.
  expect(victim.isVoter).toBe(fault !== 'wiped')
}
