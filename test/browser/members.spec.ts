// Members in trouble, in real tabs: one whose memory changed, one whose browser closed its storage,
// one beside a frozen one, and one more than there are places. Nobody else notices anything.
import { expect, judge } from '../../src/playwright/expectations.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { Member } from '../../src/playwright/member.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { memberWorkerWith } from './planted-worker.ts'
import { insist, put } from './tab-words.ts'

/** A bound on hanging, on two busy cores. */
const LIMIT_MS = 180_000
const PATIENT = { timeoutMs: 60_000 }
/** As many tabs as a full room of the product has would fill the machine of the test. */
const FEW_PLACES = {
  ...{ file: 'src/core/zab/constants.ts', from: 'OBSERVERS_MAX = 16' },
  to: 'OBSERVERS_MAX = 1',
}
/** The next data that is set in this tab is stored with other bits, once. */
const FLIPPED = {
  ...{ file: 'src/core/tree/data-tree.ts', from: 'const grownBy = store.setData(node, data)' },
  to: `const isFlipped = globalThis.flipsNext === true && data !== null
    if (isFlipped) globalThis.flipsNext = false
    const stored = isFlipped ? data.map((byte) => byte ^ 1) : data
    const grownBy = store.setData(node, stored)`,
}

/** With the worker that may be hurt. */
test.use({ zabra: {} })

test('a wrong tree, a closed storage, a frozen neighbour, no place left: harmless', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const worker = await memberWorkerWith(FEW_PLACES, FLIPPED)
  const room = await ensemble(3, { observers: 1, browser: { worker } })
  const [browser] = room.browsers
  const [wrong, closed] = room.followers.filter((member) => member.isVoter)
  const observer = room.members.find((member) => !member.isVoter)
  if (browser === undefined || wrong === undefined || closed === undefined) throw new Error('three')
  if (observer === undefined) throw new Error('no observer')
  const writer = await room.client(room.leader)
  const reader = await room.client(wrong)
  await put(writer, '/x', 'first')

  await test.step('a tree that is wrong is found, out of service, and built anew', async () => {
    const [inTab] = wrong.page.workers()
    await inTab?.evaluate(() => Object.assign(globalThis, { flipsNext: true }))
    await insist(() => writer.setData('/x', 'second'))
    const healed = (): boolean => (wrong.status?.member?.alarm?.healedAtMs ?? null) !== null
    await wrong.until(healed, { what: 'it is well again', ...PATIENT })
    expect(wrong.status?.member?.alarm).toMatchObject({ count: 1 })
    expect(wrong.traces.filter(({ type }) => type === 'diverged')).toHaveLength(1)
    await reader.sync('/x')
    expect(await reader.getData('/x')).toBe('second')
  })

  await test.step('a storage that the browser closed: told, and the others go on', async () => {
    await room.failStorage(closed, 'closed')
    await closed.until(() => closed.status?.phase === 'failed', PATIENT)
    expect(closed.status?.text).toMatch(/closed the storage/)
    await insist(() => writer.setData('/x', 'third'))
    await room.reload(closed)
    await room.waitForWhole(PATIENT)
  })

  await test.step('a tab comes back while another one of its browser is frozen', async () => {
    await room.freeze(wrong)
    await room.reload(closed)
    await room.thaw(wrong)
    await room.waitForWhole(PATIENT)
  })

  await test.step('one more than there are places is a client, until one leaves', async () => {
    const guest = await Member.open(browser, room.link)
    const refused = /there are 1 observers already: a client only until one leaves/
    await guest.until(() => refused.test(guest.status?.text ?? ''), PATIENT)
    expect(guest.status?.member ?? null).toBeNull()
    await using asGuest = await TabClient.open(guest)
    expect(await asGuest.getData('/x')).toBe('third')
    await room.close(observer)
    await guest.until(() => guest.role === 'observing' && guest.status?.sid === 4, PATIENT)
    await guest.close()
  })

  const { violations } = await judge(room)
  expect(violations).toEqual([])
})
