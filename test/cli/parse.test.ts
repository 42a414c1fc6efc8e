import { describe, expect, test } from 'vitest'
import { parseAcl } from '../../src/cli/acl-text.ts'
import { eventText } from '../../src/cli/format.ts'
import { javaDate } from '../../src/cli/java-date.ts'
import { parseInteger, parseOptions, splitLine } from '../../src/cli/parse.ts'

describe('words (C5)', () => {
  test.each([
    ['ls /', ['ls', '/']],
    ['  create   /a  "x y" ', ['create', '/a', 'x y']],
    ["create /a 'it is'", ['create', '/a', 'it is']],
    ['create /a ""', ['create', '/a', '']],
    ["create /a ''", ['create', '/a', '']],
    // No escapes: a backslash is a character, and a quote inside a word too.
    ['create /a x\\ y', ['create', '/a', 'x\\', 'y']],
    ['create /a x"y z"', ['create', '/a', 'x"y', 'z"']],
    ['set /a "it\'s"', ['set', '/a', "it's"]],
    ['', []],
    ['   ', []],
    ['"', []],
    ['ls "/a', ['ls', '/a']],
  ])('%j', (line, words) => expect(splitLine(line)).toEqual(words))
})

describe('options', () => {
  const spec = { s: false, w: false, v: true }
  const parse = (line: string): unknown[] => {
    const parsed = parseOptions(spec, line.split(' '))
    return [parsed.words.join(' '), parsed.has('s'), parsed.has('w'), parsed.value('v')]
  }

  test.each([
    ['c /a', ['c /a', false, false, undefined]],
    ['c -s /a -w', ['c /a', true, true, undefined]],
    ['c -sw /a', ['c /a', true, true, undefined]],
    ['c -v 3 /a', ['c /a', false, false, '3']],
    ['c /a -v3', ['c /a', false, false, '3']],
    ['c -v=3 /a', ['c /a', false, false, '3']],
    ['c -v -1 /a', ['c /a', false, false, '-1']],
    ['c -sv 3 /a', ['c /a', true, false, '3']],
    ['c - /a', ['c - /a', false, false, undefined]],
    ['c -- -s /a', ['c -s /a', false, false, undefined]],
  ])('%s', (line, result) => expect(parse(line)).toEqual(result))

  test.each(['c -x', 'c -5', 'c --long', 'c -sx'])('%s is refused', (line) => {
    expect(() => parse(line)).toThrow('Unrecognized option: ')
  })

  test('a value that is missing, or is another option', () => {
    expect(() => parse('c -v')).toThrow('Missing argument for option: v')
    expect(() => parse('c -v -s')).toThrow('Missing argument for option: v')
  })

  test('integers as Java reads them', () => {
    expect([parseInteger('7'), parseInteger('-1'), parseInteger('+2')]).toEqual([7, -1, 2])
    for (const bad of ['', 'x', '1.5', ' 1', '2147483648', '1e3']) {
      expect(() => parseInteger(bad)).toThrow(`For input string: "${bad}"`)
    }
  })
})

test('ACLs (C35)', () => {
  const printed: string[] = []
  const parse = (text: string) => parseAcl(text, (line) => printed.push(line))
  expect(parse('world:anyone:cdrwa,digest:u:x=:r')).toEqual([
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 1, id: { scheme: 'digest', id: 'u:x=' } },
  ])
  expect(parse('x,y:z,auth::rq')).toEqual([{ perms: 1, id: { scheme: 'auth', id: '' } }])
  expect(printed).toEqual([
    'x does not have the form scheme:id:perm',
    'y:z does not have the form scheme:id:perm',
    'Unknown perm type: q',
  ])
})

describe("Java's Date text (C9)", () => {
  const ms = Date.UTC(2019, 4, 9, 12, 11, 6)
  test.each([
    ['Asia/Shanghai', 'Thu May 09 20:11:06 CST 2019'],
    ['UTC', 'Thu May 09 12:11:06 UTC 2019'],
    ['Europe/Berlin', 'Thu May 09 14:11:06 CEST 2019'],
    ['Europe/London', 'Thu May 09 13:11:06 BST 2019'],
    ['America/New_York', 'Thu May 09 08:11:06 EDT 2019'],
    ['Asia/Tokyo', 'Thu May 09 21:11:06 JST 2019'],
    ['Asia/Kolkata', 'Thu May 09 17:41:06 IST 2019'],
    ['Europe/Moscow', 'Thu May 09 15:11:06 MSK 2019'],
  ])('%s', (zone, text) => expect(javaDate(ms, zone)).toBe(text))

  test('midnight, winter, and no date at all', () => {
    expect(javaDate(0, 'UTC')).toBe('Thu Jan 01 00:00:00 UTC 1970')
    expect(javaDate(0, 'Europe/Berlin')).toBe('Thu Jan 01 01:00:00 CET 1970')
    expect(javaDate(1e17, 'UTC')).toBe('100000000000000000')
  })
})

test('the text of events by era (C3)', () => {
  const event = { type: 2, state: 3, path: '/master', zxid: 0x1000005e2n } as const
  expect(eventText(event, '3.4')).toBe(
    'WatchedEvent state:SyncConnected type:NodeDeleted path:/master',
  )
  expect(eventText(event, '3.9')).toBe(
    'WatchedEvent state:SyncConnected type:NodeDeleted path:/master zxid: 4294968802',
  )
})
