// What a page says of a machine whose data was not what it should be.
import { expect, test } from 'vitest'
import { alarmText } from '../../demo/alarm-banner.ts'

const ALARM = {
  zxid: '0x100000005',
  ownDigest: '0xaa',
  otherDigest: '0xbb',
  what: "the leader's tree is another",
  atMs: 1_700_000_000_000,
  healedAtMs: null,
  count: 1,
}

test('while it is out of service, and after it', () => {
  expect(alarmText(ALARM)).toBe(
    "The data of this machine is not right at zxid 0x100000005: the leader's tree is another " +
      '(its digest 0xaa, the other one 0xbb). It is out of service and synchronises anew.',
  )
  const healed = alarmText({ ...ALARM, healedAtMs: 1_700_000_001_000, count: 2, otherDigest: null })
  expect(healed).toMatch(
    /\(digest 0xaa\)\. This is alarm number 2 of this tab\. It was out of service/,
  )
  expect(healed).toMatch(/synchronised anew at \d/)
})
