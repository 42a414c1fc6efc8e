// One person opens very many tabs. Who votes was settled by the founding, by keys: however many
// come later, three vote, sixteen observe, the others are clients, and they make no majority.
import { expect } from '../../src/playwright/expectations.ts'
import type { Member } from '../../src/playwright/member.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { insist, latest } from './tab-words.ts'

const VOTERS = 3
/** ZABRA_TABS=50 is what two cores stand, in two minutes. */
const TABS = Number(process.env['ZABRA_TABS'] ?? 24)
/** Places of observers. */
const OBSERVERS = 16
/** Tabs that open at the same time. */
const AT_ONCE = 2
const LIMIT_MS = 6 * 60_000
/** All of them share however few cores there are. */
const PATIENT = { timeoutMs: 90_000 }

/** Of the kit: a page that joins, and nothing else. */
test.use({ zabra: { browser: { faults: false } } })

test('very many tabs of one person: three vote, whoever comes, and two of them are needed', async ({
  ensemble,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(VOTERS)
  const [first, second, third] = room.members
  const [browser] = room.browsers
  if (first === undefined || second === undefined || third === undefined) throw new Error('three')
  if (browser === undefined) throw new Error('a browser')
  // It lasts while all the others open.
  const writer = await room.client(first, { sessionTimeoutMs: 40_000 })
  await writer.create('/x', 'before the crowd')

  const crowd: Member[] = []
  for (let at = VOTERS; at < TABS; at += AT_ONCE) {
    const tabs = Array.from({ length: Math.min(AT_ONCE, TABS - at) }, () => browser.open(room.link))
    crowd.push(...(await Promise.all(tabs)))
  }
  const isRefused = ({ status }: Member): boolean =>
    /there are 16 observers already: a client only/.test(status?.text ?? '')
  const observing = (): Member[] =>
    crowd.filter(({ role, status }) => role === 'observing' && status?.member?.serving === true)
  await expect
    .poll(() => [observing().length, crowd.filter(isRefused).length], {
      timeout: PATIENT.timeoutMs,
    })
    .toEqual([OBSERVERS, TABS - VOTERS - OBSERVERS])
  expect(crowd.filter(({ isVoter }) => isVoter)).toEqual([])

  // All of them can use it.
  const [observer] = observing()
  const refused = crowd.find(isRefused)
  if (observer === undefined || refused === undefined) throw new Error('both kinds')
  for (const tab of [observer, refused]) {
    await using client = await TabClient.open(tab)
    await insist(() => client.setData('/x', 'by the crowd'))
  }
  expect(await latest(writer, '/x')).toBe('by the crowd')

  // Two of the three are gone: all the others are no majority.
  await room.kill(second)
  await room.kill(third)
  const isAlone = (): boolean => {
    const member = first.status?.member
    return member?.serving === false && !member.quorum.reachable && member.quorum.needed === 2
  }
  await first.until(isAlone, PATIENT)
  await observer.until(() => observer.status?.member?.serving === false, PATIENT)
  await room.restart(second)
  await first.untilServing(PATIENT)
  await using after = await room.client(second)
  // All come back at once: on few cores two members may lose each other once more meanwhile.
  expect(await latest(after, '/x')).toBe('by the crowd')
  expect(first.status?.voters).toEqual([1, 2, 3])
  await expect(room).allPromises()
})
