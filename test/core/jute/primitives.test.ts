import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssertionError } from '../../../src/core/base/assert.ts'
import { concat, fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { frame } from '../../../src/core/jute/framing.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { JuteReader, readUstring } from '../../../src/core/jute/reader.ts'
import { JuteWriter, writeBytes, writeUstring } from '../../../src/core/jute/writer.ts'

function written(write: (w: JuteWriter) => void): string {
  const w = new JuteWriter(0)
  write(w)
  return toHex(w.finish())
}

function reader(hex: string, maxBuffer = 64): JuteReader {
  return new JuteReader(fromHex(hex), { maxBuffer })
}

describe('bytes on the wire (W2–W4)', () => {
  test.each<[string, (w: JuteWriter) => void, string]>([
    ['int', (w) => w.int(-2), 'fffffffe'],
    ['long', (w) => w.long(0x0102030405060708n), '0102030405060708'],
    ['long min', (w) => w.long(-(1n << 63n)), '8000000000000000'],
    ['long of a number', (w) => w.longNumber(1_700_000_000_123), '0000018bcfe5687b'],
    ['long of −1', (w) => w.longNumber(-1), 'ffffffffffffffff'],
    ['true', (w) => w.bool(true), '01'],
    ['false', (w) => w.bool(false), '00'],
    ['byte', (w) => w.byte(0x42), '42'],
    ['ustring', (w) => w.ustring('/é'), '000000032fc3a9'],
    ['empty ustring', (w) => w.ustring(''), '00000000'],
    ['null ustring', (w) => w.ustring(null), 'ffffffff'],
    ['buffer', (w) => w.buffer(new Uint8Array([1, 2])), '000000020102'],
    ['empty buffer', (w) => w.buffer(new Uint8Array(0)), '00000000'],
    ['null buffer', (w) => w.buffer(null), 'ffffffff'],
    ['vector', (w) => w.vector(['a', ''], writeUstring), '00000002000000016100000000'],
    ['null vector', (w) => w.vector(null, writeUstring), 'ffffffff'],
    ['raw', (w) => w.raw(new Uint8Array([7])), '07'],
  ])('%s', (_name, write, hex) => {
    expect(written(write)).toBe(hex)
  })
})

describe('JuteWriter', () => {
  test('what it writes, the reader reads', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), (n, text) => {
        const w = new JuteWriter(1)
        w.longNumber(n)
        w.ustring(text)
        const r = new JuteReader(w.finish())
        expect(r.longNumber()).toBe(n)
        expect(r.ustring()).toBe(text)
        expect(r.atEnd).toBe(true)
      }),
    )
  })

  test('finish is a copy, reset starts anew', () => {
    const w = new JuteWriter()
    w.int(1)
    const first = w.finish()
    w.reset()
    expect(w.length).toBe(0)
    w.int(2)
    expect(toHex(first)).toBe('00000001')
    expect(toHex(w.finish())).toBe('00000002')
  })

  test('length counts what a text really needed', () => {
    const w = new JuteWriter(4)
    w.ustring('abc')
    expect(w.length).toBe(7)
    w.int(5)
    expect(toHex(w.finish())).toBe('0000000361626300000005')
  })

  test.each([0, 1, 47, 48, 49, 1000])(
    'frames what another writer holds: %i bytes (W1)',
    (count) => {
      const payload = new JuteWriter(1)
      for (let i = 0; i < count; i++) payload.byte(i)
      const w = new JuteWriter(1)
      w.byte(7)
      w.frame(payload)
      w.byte(8)
      const expected = concat([new Uint8Array([7]), frame(payload.finish()), new Uint8Array([8])])
      expect(w.finish()).toEqual(expected)
    },
  )

  test('is bounded', () => {
    const w = new JuteWriter(4, 16)
    w.long(1n)
    w.long(2n)
    expect(() => {
      w.byte(1)
    }).toThrow(JuteError)
    expect(w.finish().length).toBe(16)
  })

  test('a text may fill the bound to the last byte', () => {
    const w = new JuteWriter(0, 10)
    w.ustring('abcdef')
    expect(w.length).toBe(10)
  })

  test.each<[string, (w: JuteWriter) => void]>([
    ['int of 2^31', (w) => w.int(0x8000_0000)],
    ['int of 1.5', (w) => w.int(1.5)],
    ['int of NaN', (w) => w.int(NaN)],
    ['long of 2^63', (w) => w.long(1n << 63n)],
    ['long of a fraction', (w) => w.longNumber(0.5)],
    ['long of 2^53', (w) => w.longNumber(2 ** 53)],
  ])('%s asserts', (_name, write) => {
    expect(() => written(write)).toThrow(AssertionError)
  })
})

describe('writeBytes', () => {
  const bytes = (n: number) => writeBytes((w) => w.byte(n))

  test('gives bytes of their own, though the writer is used again', () => {
    const first = bytes(1)
    const second = bytes(2)
    expect([toHex(first), toHex(second)]).toEqual(['01', '02'])
  })

  test('may be called inside itself', () => {
    const outer = writeBytes((w) => {
      w.byte(1)
      w.buffer(writeBytes((inner) => inner.buffer(bytes(2))))
      w.byte(3)
    })
    expect(toHex(outer)).toBe('0100000005000000010203')
  })

  test('starts clean after a write that failed half-way, and after a big one', () => {
    expect(() =>
      writeBytes((w) => {
        w.byte(1)
        w.int(NaN)
      }),
    ).toThrow(AssertionError)
    expect(toHex(bytes(9))).toBe('09')
    expect(writeBytes((w) => w.raw(new Uint8Array(100_000))).length).toBe(100_000)
    expect(toHex(bytes(9))).toBe('09')
  })
})

describe('JuteReader', () => {
  test.each<[string, string, (r: JuteReader) => unknown, string]>([
    ['int', '000000', (r) => r.int(), 'int of 4 bytes with 3 left'],
    ['long', '00000000000000', (r) => r.long(), 'long of 8 bytes with 7 left'],
    ['bool', '', (r) => r.bool(), 'byte of 1 bytes with 0 left'],
    ['negative length', 'fffffffe', (r) => r.buffer(), 'buffer of -2 bytes, at most 64'],
    ['long length', '00000041', (r) => r.ustring(), 'string of 65 bytes, at most 64'],
    ['cut buffer', '0000000201', (r) => r.buffer(), 'bytes of 2 bytes with 1 left'],
    ['null string', 'ffffffff', (r) => r.string('path'), 'path is null'],
    ['null list', 'ffffffff', (r) => r.list('acl', readUstring), 'acl is null'],
    ['null list item', '00000001ffffffff', (r) => r.list('x', readUstring), 'list item is null'],
    ['count', '7fffffff00', (r) => r.vector(readUstring), 'vector of 2147483647 items with 1'],
    ['raw', '01', (r) => r.raw(2), 'bytes of 2 bytes with 1 left'],
    ['raw negative', '01', (r) => r.raw(-1), 'bytes of -1 bytes'],
    ['raw NaN', '01', (r) => r.raw(NaN), 'bytes of NaN bytes'],
    ['unsafe long', '0020000000000000', (r) => r.longNumber(), 'beyond a safe integer'],
  ])('%s', (_name, hex, read, message) => {
    let thrown: unknown
    try {
      read(reader(hex))
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(JuteError)
    expect((thrown as JuteError).message).toContain(message)
  })

  test('a negative count is no items, −1 is no vector, as ZooKeeper reads them', () => {
    expect(reader('fffffffe').vector(readUstring)).toEqual([])
    expect(reader('80000000').vector(readUstring)).toEqual([])
    expect(reader('ffffffff').vector(readUstring)).toBeNull()
  })

  test('a giant count does not allocate', () => {
    // 1 MiB can pay for a million items by count alone; the items themselves then run out at once.
    const bytes = new Uint8Array(1 << 20).fill(0x7f)
    bytes.set([0, 0x0f, 0xff, 0xf0])
    let items = 0
    expect(() =>
      new JuteReader(bytes).vector((r) => {
        items++
        return r.buffer()
      }),
    ).toThrow(JuteError)
    expect(items).toBe(1)
  })

  test('null and empty are different (W4)', () => {
    expect(reader('ffffffff').buffer()).toBeNull()
    expect(reader('00000000').buffer()).toEqual(new Uint8Array(0))
    expect(reader('ffffffff').vector(readUstring)).toBeNull()
    expect(reader('00000000').vector(readUstring)).toEqual([])
  })

  test('a bool is true for any byte but 0, as in Java', () => {
    const r = reader('000102ff')
    expect([r.bool(), r.bool(), r.bool(), r.bool()]).toEqual([false, true, true, true])
  })

  test('buffers are views of the input', () => {
    const bytes = fromHex('000000020102')
    const view = new JuteReader(bytes).buffer()
    bytes[5] = 9
    expect(view).toEqual(new Uint8Array([1, 9]))
  })

  test('reads inside a view of a larger buffer', () => {
    const whole = fromHex('ffff0000000161ffff')
    const r = new JuteReader(whole.subarray(2, 7))
    expect(r.ustring()).toBe('a')
    expect(r.atEnd).toBe(true)
    expect(() => r.byte()).toThrow(JuteError)
  })

  test('longNumber agrees with long', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        const w = new JuteWriter()
        w.long(BigInt(n))
        expect(new JuteReader(w.finish()).longNumber()).toBe(n)
      }),
    )
  })
})
