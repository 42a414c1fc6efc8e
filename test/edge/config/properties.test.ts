// Java's properties format, as java.util.Properties reads it.
import { expect, test } from 'vitest'
import { parseProperties } from '../../../src/edge/config/properties.ts'

function pairs(text: string): [string, string][] {
  return parseProperties(text).map(({ key, value }) => [key, value])
}

test('=, : and blanks separate, around them blanks do not count', () => {
  expect(pairs('a=1\n b : 2\nc 3\nd\t=\t4 \ne\nf==5')).toEqual([
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['d', '4 '],
    ['e', ''],
    ['f', '=5'],
  ])
})

test('comments and empty lines are nothing, a # later is text', () => {
  expect(pairs('# a=1\n  ! b=2\n\n \t\nc=3 # not a comment')).toEqual([['c', '3 # not a comment']])
})

test('a line goes on after an odd number of backslashes, not after an even one', () => {
  expect(pairs('a=x\\\n   y\\\n  z\nb=x\\\\\nc=1\\')).toEqual([
    ['a', 'xyz'],
    ['b', 'x\\'],
    ['c', '1'],
  ])
  // A comment does not go on.
  expect(pairs('# a=1\\\nb=2')).toEqual([['b', '2']])
})

test('escapes, in keys too', () => {
  expect(pairs('a\\ b\\=c=x\\ty\\u00e9\\q')).toEqual([['a b=c', 'x\tyéq']])
})

test('every way of ending lines, and the line that an entry begins in', () => {
  expect(parseProperties('a=1\r\nb=2\rc=3\\\n4\nd=5')).toEqual([
    { key: 'a', value: '1', line: 1 },
    { key: 'b', value: '2', line: 2 },
    { key: 'c', value: '34', line: 3 },
    { key: 'd', value: '5', line: 5 },
  ])
})
