import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { incarnationOfKey } from '../../../src/adapters/indexeddb/identity.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { makeZxid, toServerId, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import {
  encodeFoundingRecord,
  FOUNDING_SIZE_MAX,
  foundingBytesToSign,
  type FoundingRecord,
  memberOf,
  parseFoundingRecord,
  sealFoundingRecord,
  SIGNED_RECORD_BYTES_MAX,
} from '../../../src/core/founding/founding-record.ts'
import { clusterHash, creatorHash, incarnationOf } from '../../../src/core/founding/key-names.ts'
import { keyOf } from './room-model.ts'

function recordOf(size: number): FoundingRecord {
  const keys = Array.from({ length: size }, (_, index) => keyOf(`member ${index}`))
  return {
    clusterId: new Uint8Array(16).fill(1),
    room: 'café',
    size,
    sessionKey: new Uint8Array(32).fill(2),
    creatorKey: keys[0]!,
    members: keys.map((publicKey, index) => ({
      sid: toServerId(index + 1),
      incarnation: incarnationOf(publicKey),
      publicKey,
    })),
    origin: ZXID_NONE,
  }
}

const SIGNATURE = new Uint8Array(64).fill(7)

describe('the founding record', () => {
  it('of an ensemble without a past is what older builds read', () => {
    const body = encodeFoundingRecord(recordOf(1))
    expect([...body.subarray(0, 4)]).toEqual([0, 0, 0, 1])
  })

  it('of one that goes on from another says where, and older builds refuse it', () => {
    const record = { ...recordOf(3), origin: makeZxid(7, 42) }
    const body = encodeFoundingRecord(record)
    expect([...body.subarray(0, 4)]).toEqual([0, 0, 0, 2])
    expect(parseFoundingRecord(sealFoundingRecord(body, SIGNATURE))?.record).toEqual(record)
    const nowhere = body.slice()
    nowhere.fill(0, -8)
    expect(parseFoundingRecord(sealFoundingRecord(nowhere, SIGNATURE))).toBeNull()
  })

  it('comes back as it was written, with the bytes that were signed', () => {
    const record = recordOf(3)
    const body = encodeFoundingRecord(record)
    const signed = parseFoundingRecord(sealFoundingRecord(body, SIGNATURE))!
    expect(signed.record).toEqual(record)
    expect(signed.body).toEqual(body)
    expect(signed.signature).toEqual(SIGNATURE)
    expect(toHex(foundingBytesToSign(body))).toMatch(/^7a6162726120666f756e64696e67/)
  })

  it('fits its bound with as many members as there are server ids', () => {
    const envelope = sealFoundingRecord(
      encodeFoundingRecord(recordOf(FOUNDING_SIZE_MAX)),
      SIGNATURE,
    )
    expect(envelope.length).toBeLessThan(SIGNED_RECORD_BYTES_MAX)
    expect(parseFoundingRecord(envelope)?.record.size).toBe(FOUNDING_SIZE_MAX)
  })

  it('keeps no view of the bytes it was read from', () => {
    const envelope = sealFoundingRecord(encodeFoundingRecord(recordOf(3)), SIGNATURE)
    const signed = parseFoundingRecord(envelope)!
    const before = clusterHash(signed.body)
    envelope.fill(0)
    expect(clusterHash(signed.body)).toBe(before)
    expect(signed.record).toEqual(recordOf(3))
  })

  it('knows a member by its key only', () => {
    const record = recordOf(3)
    expect(memberOf(record, keyOf('member 1'))?.sid).toBe(2)
    expect(memberOf(record, keyOf('stranger'))).toBeNull()
  })

  it.each<[string, (record: FoundingRecord) => FoundingRecord]>([
    ['a short cluster id', (r) => ({ ...r, clusterId: new Uint8Array(15) })],
    ['a short session key', (r) => ({ ...r, sessionKey: new Uint8Array(0) })],
    ['a size that is not the number of members', (r) => ({ ...r, size: 2 })],
    ['no members', (r) => ({ ...r, size: 0, members: [] })],
    ['a creator who is no member', (r) => ({ ...r, creatorKey: keyOf('stranger') })],
    ['server ids out of order', (r) => ({ ...r, members: [...r.members].reverse() })],
    [
      'a name that is not its key',
      (r) => ({ ...r, members: r.members.map((m) => ({ ...m, publicKey: keyOf('x') })) }),
    ],
    [
      'a member twice',
      (r) => {
        const first = r.members[0]!
        return { ...r, members: r.members.map((m) => ({ ...first, sid: m.sid })) }
      },
    ],
  ])('is none with %s', (_, spoil) => {
    expect(() => encodeFoundingRecord(spoil(recordOf(3)))).toThrow()
  })

  it('parses arbitrary and damaged bytes to null or to a sound record, never throws', () => {
    const envelope = sealFoundingRecord(encodeFoundingRecord(recordOf(3)), SIGNATURE)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (junk) => {
        expect(parseFoundingRecord(junk)).toBeNull()
      }),
    )
    fc.assert(
      fc.property(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = envelope.slice()
        damaged[at]! ^= change
        const signed = parseFoundingRecord(damaged)
        if (signed !== null) expect(signed.record.members).toHaveLength(signed.record.size)
      }),
    )
    expect(parseFoundingRecord(envelope.subarray(0, -1))).toBeNull()
    expect(parseFoundingRecord(new Uint8Array([...envelope, 0]))).toBeNull()
    expect(parseFoundingRecord(new Uint8Array(SIGNED_RECORD_BYTES_MAX + 1))).toBeNull()
  })
})

describe('names of keys', () => {
  it('CREATOR is a prefix of the incarnation, which storage derives the same way', () => {
    const key = keyOf('a')
    expect(incarnationOf(key)).toMatch(/^[0-9a-f]{32}$/)
    expect(incarnationOf(key).startsWith(creatorHash(key))).toBe(true)
    expect(creatorHash(key)).toHaveLength(20)
    expect(incarnationOfKey(key)).toBe(incarnationOf(key))
  })

  it('CLUSTER names the record without its signature', () => {
    const body = encodeFoundingRecord(recordOf(3))
    const other = encodeFoundingRecord({ ...recordOf(3), clusterId: new Uint8Array(16) })
    expect(clusterHash(body)).toMatch(/^[0-9a-f]{20}$/)
    expect(clusterHash(other)).not.toBe(clusterHash(body))
  })
})
