/** Field orders and optional fields that are easily got wrong, pinned by bytes. */

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  type ConnectRequest,
} from '../../../src/core/jute/connect-records.ts'
import {
  aclRecord,
  idRecord,
  statPersistedRecord,
  statRecord,
} from '../../../src/core/jute/data-records.ts'
import {
  initialMessageRecord,
  notificationRecord,
  OBSERVER_VOTE,
} from '../../../src/core/jute/election-records.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import {
  multiReadRequestRecord,
  multiRequestRecord,
  multiResponseRecord,
} from '../../../src/core/jute/multi.ts'
import { createRequestRecord } from '../../../src/core/jute/proto-records.ts'
import {
  ackEpochRecord,
  informAndActivateRecord,
  learnerInfoRecord,
  touchedSessionsRecord,
} from '../../../src/core/jute/quorum-records.ts'
import { decode, encode } from '../../../src/core/jute/record.ts'

const STAT = {
  czxid: 1n,
  mzxid: 2n,
  ctime: 3,
  mtime: 4,
  version: 5,
  cversion: 6,
  aversion: 7,
  ephemeralOwner: 8n,
  dataLength: 9,
  numChildren: 10,
  pzxid: 11n,
}
const CONNECT: ConnectRequest = {
  protocolVersion: 0,
  lastZxidSeen: 1n,
  timeOut: 30_000,
  sessionId: 2n,
  passwd: new Uint8Array(2),
  readOnly: false,
}

describe('Stat', () => {
  test('is 68 bytes and pzxid is last (W9)', () => {
    const bytes = encode(statRecord, STAT)
    expect(bytes.length).toBe(68)
    expect(toHex(bytes.subarray(52))).toBe('000000090000000a000000000000000b')
  })

  test('persisted is 60 bytes and lacks what is derived (W10)', () => {
    const bytes = encode(statPersistedRecord, STAT)
    expect(bytes.length).toBe(60)
    expect(toHex(bytes.subarray(40))).toBe('000000070000000000000008000000000000000b')
  })
})

describe('readOnly of the connect records (W11, W12)', () => {
  test('is told by the end of the frame', () => {
    const withFlag = encode(connectRequestRecord, CONNECT)
    const without = encode(connectRequestRecord, { ...CONNECT, readOnly: undefined })
    expect(withFlag.length).toBe(without.length + 1)
    expect(decode(connectRequestRecord, withFlag).readOnly).toBe(false)
    expect(decode(connectRequestRecord, without).readOnly).toBeUndefined()
  })

  test('and so in the response', () => {
    const response = { protocolVersion: 0, timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16) }
    const old = encode(connectResponseRecord, { ...response, readOnly: undefined })
    expect(old.length).toBe(36)
    expect(decode(connectResponseRecord, old)).toEqual({ ...response, readOnly: undefined })
    expect(encode(connectResponseRecord, { ...response, readOnly: true }).length).toBe(37)
  })

  test('other bytes than 0 and 1 are no flag', () => {
    const bytes = encode(connectRequestRecord, { ...CONNECT, readOnly: true })
    bytes[bytes.length - 1] = 2
    expect(() => decode(connectRequestRecord, bytes)).toThrow('readOnly is 2')
  })
})

describe('nulls', () => {
  test('in an Id read as empty strings, which no scheme accepts (A8)', () => {
    expect(decode(idRecord, fromHex('ffffffffffffffff'))).toEqual({ scheme: '', id: '' })
    expect(decode(aclRecord, fromHex('0000001fffffffffffffffff')).perms).toBe(31)
  })

  test('a null path is malformed, a null ACL list is for the server to refuse', () => {
    expect(() => decode(createRequestRecord, fromHex('ffffffffffffffffffffffff00000000'))).toThrow(
      new JuteError('path is null'),
    )
    const request = decode(createRequestRecord, fromHex('000000012fffffffffffffffff00000000'))
    expect(request).toEqual({ path: '/', data: null, acl: null, flags: 0 })
  })
})

test('bytes after a record are malformed unless allowed', () => {
  const bytes = fromHex('000000000000000000')
  expect(() => decode(idRecord, bytes)).toThrow('1 bytes after Id')
  expect(decode(idRecord, bytes, { allowTrailing: true })).toEqual({ scheme: '', id: '' })
})

describe('multi', () => {
  const END = 'ffffffff01ffffffff'

  test('an empty one is its end (D39)', () => {
    expect(toHex(encode(multiRequestRecord, []))).toBe(END)
    expect(decode(multiRequestRecord, fromHex(END))).toEqual([])
    expect(toHex(encode(multiResponseRecord, []))).toBe(END)
  })

  test('an operation is a header with err −1 and its record (W47)', () => {
    const bytes = encode(multiRequestRecord, [
      { type: 2, request: { path: '/a', version: -1 } },
      { type: 13, request: { path: '/b', version: 3 } },
    ])
    expect(toHex(bytes)).toBe(
      `0000000200ffffffff000000022f61ffffffff0000000d00ffffffff000000022f6200000003${END}`,
    )
  })

  test('an error result has its code twice, and is no end (W48, W73)', () => {
    const results = [
      { type: -1, err: 0 },
      { type: -1, err: -110 },
      { type: -1, err: -2 },
    ] as const
    const bytes = encode(multiResponseRecord, results)
    expect(toHex(bytes)).toBe(
      `ffffffff000000000000000000ffffffff00ffffff92ffffff92ffffffff00fffffffefffffffe${END}`,
    )
    expect(decode(multiResponseRecord, bytes)).toEqual(results)
  })

  test('the end is told by done alone, whatever type and err say (W73)', () => {
    expect(decode(multiRequestRecord, fromHex('0000000101deadbeef'))).toEqual([])
  })

  test.each([3, 4, 7, 9, 14, 22, -11, 0, -1])('operation %i has no place in it', (type) => {
    const bytes = fromHex('0000000000ffffffff000000022f6100')
    new DataView(bytes.buffer).setInt32(0, type)
    expect(() => decode(multiRequestRecord, bytes)).toThrow(`operation ${type} in a multi`)
  })

  test.each([1, 2, 5, 13, 12])('operation %i has no place in a multiRead (W47)', (type) => {
    const bytes = fromHex('0000000000ffffffff000000022f6100')
    new DataView(bytes.buffer).setInt32(0, type)
    expect(() => decode(multiReadRequestRecord, bytes)).toThrow(`operation ${type} in a multiRead`)
  })

  test('one that never ends is malformed', () => {
    expect(() => decode(multiRequestRecord, new Uint8Array(0))).toThrow(JuteError)
    expect(() => decode(multiResponseRecord, fromHex('0000000200ffffffff'))).toThrow(JuteError)
  })
})

describe('quorum data', () => {
  test('ACKEPOCH without our extension is the int alone', () => {
    expect(toHex(encode(ackEpochRecord, { currentEpoch: 7, truncFloor: 0n }))).toBe('00000007')
    expect(decode(ackEpochRecord, fromHex('ffffffff'))).toEqual({
      currentEpoch: -1,
      truncFloor: 0n,
    })
    expect(decode(ackEpochRecord, fromHex('000000070000000100000005')).truncFloor).toBe(
      0x1_0000_0005n,
    )
  })

  test('LearnerInfo from before 3.5 has no configuration version', () => {
    expect(decode(learnerInfoRecord, fromHex('000000000000000300010000'))).toEqual({
      serverid: 3n,
      protocolVersion: 0x10000,
      configVersion: 0n,
    })
  })

  test('a PING answer is pairs without a count (S10)', () => {
    expect(decode(touchedSessionsRecord, new Uint8Array(0))).toEqual([])
    expect(
      decode(touchedSessionsRecord, fromHex('000000000000000100000002ffffffffffffffff00000003')),
    ).toEqual([
      { sessionId: 1n, timeout: 2 },
      { sessionId: -1n, timeout: 3 },
    ])
  })

  test('INFORMANDACTIVATE puts the leader before the transaction (Q76)', () => {
    const bytes = encode(informAndActivateRecord, { designatedLeader: 2n, txn: fromHex('aabb') })
    expect(toHex(bytes)).toBe('0000000000000002aabb')
  })
})

describe('notification (Q9)', () => {
  const HEAD = '00000000' + '0000000000000003' + '0000000100000005' + '0000000000000002'

  test('28 bytes: the epoch is that of the zxid', () => {
    expect(decode(notificationRecord, fromHex(HEAD))).toEqual({
      state: 0,
      leader: 3n,
      zxid: 0x1_0000_0005n,
      electionEpoch: 2n,
      peerEpoch: 1n,
      version: 0,
      config: null,
    })
  })

  test('40 bytes: no configuration', () => {
    const notification = decode(notificationRecord, fromHex(`${HEAD}000000000000000900000001`))
    expect(notification).toMatchObject({ peerEpoch: 9n, version: 0, config: null })
  })

  test('44 bytes and more: version 2 with the configuration', () => {
    const bytes = fromHex(`${HEAD}00000000000000090000000200000003aabbcc`)
    expect(decode(notificationRecord, bytes).config).toEqual(fromHex('aabbcc'))
    expect(encode(notificationRecord, decode(notificationRecord, bytes))).toEqual(bytes)
  })

  test.each(['ffffffff', '00000001', '7fffffff'])('a configuration of %s bytes', (length) => {
    const bytes = fromHex(`${HEAD}000000000000000900000002${length}`)
    expect(() => decode(notificationRecord, bytes)).toThrow(JuteError)
  })

  test('an observer votes for nobody (Q20)', () => {
    expect(OBSERVER_VOTE).toBe(BigInt.asIntN(64, 0x8000_0000_0000_0000n))
  })
})

test('the first message of an election connection (Q21)', () => {
  const bytes = fromHex('ffffffffffff0000000000000000000200000003613a31')
  expect(decode(initialMessageRecord, bytes)).toEqual({
    protocolVersion: -65536n,
    sid: 2n,
    addresses: ['a:1'],
  })
  expect(() => decode(initialMessageRecord, fromHex('0000000000000001'.repeat(3)))).toThrow(
    'election protocol version 1',
  )
})
