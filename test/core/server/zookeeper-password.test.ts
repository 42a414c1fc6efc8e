import { expect, test } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { connectResponseRecord } from '../../../src/core/jute/connect-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { checkPassword, sessionPassword } from '../../../src/core/server/session-ids.ts'
import { toSessionId } from '../../../src/core/base/zxid.ts'
import { loadRecording } from '../../interop/frame-file.ts'

test('S2: without a key the password is the one that Apache ZooKeeper gave', () => {
  const answers = loadRecording('client')
    .frames.filter(({ from, what }) => from === 'server' && what === 'connect')
    .map(({ bytes }) => decode(connectResponseRecord, bytes))
    .filter(({ sessionId }) => sessionId !== 0n)
  expect(answers.length).toBeGreaterThan(0)
  for (const { sessionId, passwd } of answers) {
    expect(sessionPassword(null, toSessionId(sessionId))).toEqual(passwd)
    expect(checkPassword(null, toSessionId(sessionId), passwd)).toBe(true)
    expect(checkPassword(null, toSessionId(sessionId ^ 1n), passwd)).toBe(false)
  }
})

test('S2: of a negative id too', () => {
  // new Random(-2L ^ 0xB3415C00L).nextBytes, Java 17
  const said = fromHex('0dd532b5c441e3927c04b55e50fd9421')
  expect(sessionPassword(null, toSessionId(-2n))).toEqual(said)
})
