import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { toServerId } from '../../../src/core/base/zxid.ts'
import {
  formatObservers,
  grantPlace,
  parseObservers,
  SESSION_BASE_SPAN,
  type GrantView,
  type ObserverEntry,
} from '../../../src/core/server/observer-table.ts'
import { OBSERVERS_MAX } from '../../../src/core/zab/constants.ts'

const VOTERS = [1, 2, 3].map(toServerId)
const name = (n: number): string => n.toString(16).padStart(4, '0')

function entry(sid: number, incarnation: string, spans = 1): ObserverEntry {
  return { sid: toServerId(sid), incarnation, sessionBase: BigInt(spans) * SESSION_BASE_SPAN }
}

function view(table: readonly ObserverEntry[], reclaimable: readonly number[] = []): GrantView {
  return { table, voters: VOTERS, isReclaimable: ({ sid }) => reclaimable.includes(sid) }
}

const FULL = Array.from({ length: OBSERVERS_MAX }, (_, i) => entry(4 + i, name(i)))

describe('the text', () => {
  test('one line per observer, there and back', () => {
    const table = [entry(5, 'beef', 7), entry(4, 'aa')]
    const text = formatObservers(table)
    expect(new TextDecoder().decode(text)).toBe(
      'sid=5 incarnation=beef base=481036337152\nsid=4 incarnation=aa base=68719476736\n',
    )
    expect(parseObservers(text)).toEqual(table)
  })

  test.each([
    ['nothing', null],
    ['no text', encodeUtf8('')],
    ['no UTF-8', new Uint8Array([0xff, 0xfe, 0x0a, 0x80])],
    ['words', encodeUtf8('hello\nsid=\nsid=4\n')],
    ['server id 0', encodeUtf8('sid=0 incarnation=aa base=68719476736')],
    ['server id 255', encodeUtf8('sid=255 incarnation=aa base=68719476736')],
    ['no hex', encodeUtf8('sid=4 incarnation=xy base=68719476736')],
    ['half a byte', encodeUtf8('sid=4 incarnation=abc base=68719476736')],
    ['a name too long', encodeUtf8(`sid=4 incarnation=${'ab'.repeat(65)} base=68719476736`)],
    ['a base in the sid', encodeUtf8(`sid=4 incarnation=aa base=${1n << 56n}`)],
    ['a base below all', encodeUtf8('sid=4 incarnation=aa base=0')],
    ['a negative base', encodeUtf8('sid=4 incarnation=aa base=-68719476736')],
    ['a line too much', encodeUtf8('sid=4 incarnation=aa base=68719476736 x')],
    ['a megabyte', new Uint8Array(1_000_000).fill(0x0a)],
  ])('%s is an empty table', (_, data) => {
    expect(parseObservers(data)).toEqual([])
  })

  test('bad lines and repetitions are skipped, good ones kept', () => {
    const good = new TextDecoder().decode(formatObservers([entry(4, 'aa'), entry(5, 'bb')]))
    const [first = '', second = ''] = good.split('\n')
    const text = [first, '#', 'sid=4 incarnation=cc base=68719476736', first, second].join('\n')
    expect(parseObservers(encodeUtf8(text))).toEqual([entry(4, 'aa'), entry(5, 'bb')])
  })

  test('no more than the bound', () => {
    const many = Array.from({ length: 40 }, (_, i) => entry(4 + i, name(i)))
    expect(parseObservers(formatObservers(many))).toEqual(many.slice(0, OBSERVERS_MAX))
  })
})

describe('a place', () => {
  test('is the first server id above the voters', () => {
    expect(grantPlace(view([]), 'aa')).toMatchObject({ granted: entry(4, 'aa') })
    expect(grantPlace(view([entry(4, 'aa')]), 'bb')).toMatchObject({ granted: entry(5, 'bb') })
    expect(grantPlace(view([entry(5, 'aa')]), 'bb')).toMatchObject({ granted: entry(4, 'bb') })
  })

  test('again: the same server id, other session ids, now the youngest', () => {
    const grant = grantPlace(view([entry(4, 'aa'), entry(5, 'bb')]), 'aa')
    expect(grant).toEqual({
      granted: entry(4, 'aa', 2),
      table: [entry(5, 'bb'), entry(4, 'aa', 2)],
    })
  })

  test('when all are taken: the oldest that nobody needs, further on in its session ids', () => {
    const grant = grantPlace(view(FULL, [9, 7]), 'ffff')
    if (!('table' in grant)) throw new Error(grant.refusal)
    expect(grant.granted).toEqual(entry(7, 'ffff', 2))
    expect(grant.table.length).toBe(OBSERVERS_MAX)
    expect(grant.table.filter(({ sid }) => sid === 7)).toEqual([grant.granted])
    expect(grantPlace(view(FULL), 'ffff')).toEqual({
      refusal: 'there are 16 observers already',
    })
  })

  test.each(['', 'xy', 'abc', 'AA', 'aa aa', 'aa\n', 'ab'.repeat(65)])(
    'is not for %j',
    (incarnation) => {
      expect(grantPlace(view([]), incarnation)).toEqual({ refusal: 'its name is no hash' })
    },
  )

  test('is not given twice at the end of the session ids', () => {
    const last = entry(4, 'aa', 2 ** 20 - 1)
    expect(grantPlace(view([last]), 'aa')).toEqual({
      refusal: 'server id 4 has no session ids left',
    })
    const full = FULL.map((one) => ({ ...one, sessionBase: last.sessionBase }))
    expect(grantPlace(view(full, [4]), 'ffff')).toHaveProperty('refusal')
  })

  test('session ids of one server id never come twice, whoever has it', () => {
    let table: readonly ObserverEntry[] = []
    const used = new Set<string>()
    for (let i = 0; i < 500; i++) {
      const grant = grantPlace(view(table, [4 + (i % 16)]), name(i % 23))
      if ('refusal' in grant) continue
      table = parseObservers(formatObservers(grant.table))
      const { sid, sessionBase } = grant.granted
      const key = `${sid} ${sessionBase / SESSION_BASE_SPAN}`
      expect(used.has(key)).toBe(false)
      used.add(key)
    }
    expect(used.size).toBeGreaterThan(200)
  })
})
