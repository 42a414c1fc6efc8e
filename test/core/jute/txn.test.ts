import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssertionError } from '../../../src/core/base/assert.ts'
import { concat, fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { encode } from '../../../src/core/jute/record.ts'
import {
  decodeTxn,
  encodeTxn,
  txnType,
  type SimpleTxn,
  type Txn,
} from '../../../src/core/jute/txn.ts'
import { createTxnV0Record, txnHeaderRecord } from '../../../src/core/jute/txn-records.ts'
import { acls, data, int, long, text, time } from './record-cases.ts'

const base = { path: text, data, acl: acls, parentCVersion: int }
const oneTxn: fc.Arbitrary<SimpleTxn> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), ...base, ephemeral: fc.boolean() }),
  fc.record({ kind: fc.constant('createContainer' as const), ...base }),
  fc.record({ kind: fc.constant('createTTL' as const), ...base, ttl: long }),
  fc.record({ kind: fc.constant('delete' as const), path: text }),
  fc.record({ kind: fc.constant('setData' as const), path: text, data, version: int }),
  fc.record({ kind: fc.constant('setACL' as const), path: text, acl: acls, version: int }),
  fc.record({ kind: fc.constant('check' as const), path: text, version: int }),
  fc.record({ kind: fc.constant('createSession' as const), timeOut: int }),
  fc.record({ kind: fc.constant('closeSession' as const), paths: fc.array(text) }),
  fc.record({ kind: fc.constant('error' as const), err: int }),
)
const multi: fc.Arbitrary<Txn> = fc
  .array(
    fc.oneof(
      oneTxn,
      fc.record({
        kind: fc.constant('create' as const),
        type: fc.constant(OpCode.create2),
        ...base,
        ephemeral: fc.boolean(),
      }),
    ),
    { maxLength: 4 },
  )
  .map((txns) => ({ kind: 'multi', txns }))
const header = fc.record({ clientId: long, cxid: int, zxid: long, time })
const digest = fc.option(fc.record({ version: int, treeDigest: long }), { nil: undefined })

const HEADER = { clientId: 1n, cxid: 2, zxid: 3n, time: 4 }

describe('encodeTxn and decodeTxn', () => {
  test('are each other’s inverse', () => {
    fc.assert(
      fc.property(header, fc.oneof(oneTxn, multi), digest, (fields, txn, treeDigest) => {
        const full = { ...fields, type: txnType(txn) }
        const bytes = encodeTxn(full, txn, treeDigest)
        const decoded = decodeTxn(bytes)
        expect(decoded).toEqual({ header: full, txn, digest: treeDigest })
        expect(encodeTxn(decoded.header, decoded.txn, decoded.digest)).toEqual(bytes)
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    [OpCode.create, 'create'],
    [OpCode.create2, 'create'],
    [OpCode.delete, 'delete'],
    [OpCode.deleteContainer, 'delete'],
    [OpCode.setData, 'setData'],
    [OpCode.reconfig, 'setData'],
  ] as const)('type %i keeps its own number', (type, kind) => {
    const txn = fc.sample(
      oneTxn.filter((candidate) => candidate.kind === kind),
      1,
    )[0]!
    const decoded = decodeTxn(encodeTxn({ ...HEADER, type }, txn))
    expect(decoded.header.type).toBe(type)
    expect(decoded.txn).toEqual(txn)
  })

  test('a header of another type asserts', () => {
    expect(() =>
      encodeTxn({ ...HEADER, type: OpCode.delete }, { kind: 'error', err: -101 }),
    ).toThrow(AssertionError)
  })

  test('an entry is header, record, digest (P3)', () => {
    const bytes = encodeTxn(
      { ...HEADER, type: OpCode.delete },
      { kind: 'delete', path: '/a' },
      { version: 2, treeDigest: 5n },
    )
    expect(toHex(bytes)).toBe(
      '0000000000000001' +
        '00000002' +
        '0000000000000003' +
        '0000000000000004' +
        '00000002' +
        '000000022f61' +
        '00000002' +
        '0000000000000005',
    )
  })

  test('a create that ends before parentCVersion is a CreateTxnV0 (P8)', () => {
    const old = { path: '/a', data: null, acl: [], ephemeral: false }
    const bytes = concat([
      encode(txnHeaderRecord, { ...HEADER, type: OpCode.create }),
      encode(createTxnV0Record, old),
    ])
    expect(decodeTxn(bytes).txn).toEqual({ kind: 'create', ...old, parentCVersion: -1 })
  })

  test('a closeSession from before 3.6 has no record', () => {
    const bytes = encode(txnHeaderRecord, { ...HEADER, type: OpCode.closeSession })
    const decoded = decodeTxn(bytes)
    expect(decoded.txn).toEqual({ kind: 'closeSession', paths: null })
    expect(encodeTxn(decoded.header, decoded.txn)).toEqual(bytes)
  })

  test.each([0, 3, 4, 6, 8, 9, 11, 12, 17, 18, 22, 100, 107, -12, 888])(
    'type %i is an error, never skipped',
    (type) => {
      const bytes = encode(txnHeaderRecord, { ...HEADER, type })
      expect(() => decodeTxn(bytes)).toThrow(`unknown transaction type ${type}`)
    },
  )

  test.each([
    ['a multi in a multi', '0000000e' + '00000004' + '00000000'],
    ['a null record', '00000002' + 'ffffffff'],
    ['bytes after a record', '00000002' + '00000007' + '000000022f6100'],
    ['an unknown type', '00000063' + '00000000'],
  ])('a multi with %s is malformed', (_name, item) => {
    const bytes = concat([
      encode(txnHeaderRecord, { ...HEADER, type: OpCode.multi }),
      fromHex('00000001' + item),
    ])
    expect(() => decodeTxn(bytes)).toThrow(JuteError)
  })

  test('decodes or throws JuteError, whatever the bytes', () => {
    const types = fc.constantFrom(1, 2, 5, 7, 13, 14, 15, 16, 19, 20, 21, -1, -10, -11)
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 60 }), (type, rest) => {
        const bytes = concat([encode(txnHeaderRecord, { ...HEADER, type }), rest])
        try {
          decodeTxn(bytes)
        } catch (error) {
          if (!(error instanceof JuteError)) throw error
        }
      }),
      { numRuns: 3000 },
    )
  })
})
