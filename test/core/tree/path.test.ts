import { describe, expect, it } from 'vitest'
import { znodePathProblem } from '../../../src/core/base/znode-path.ts'
import { joinPath, nameOf, parentOf, sequentialName } from '../../../src/core/tree/path.ts'

describe('path syntax (D40)', () => {
  const legal = [
    '/',
    '/a',
    '/a/b',
    '/...',
    '/.a',
    '/a.',
    '/a..b',
    '/中文',
    '/a b',
    '/\u00a0',
    '/\uf900',
  ]
  it.each(legal)('accepts %j', (path) => {
    expect(znodePathProblem(path)).toBeNull()
  })

  const illegal: [string, string][] = [
    ['', 'Path length must be > 0'],
    ['a', 'Path must start with / character'],
    ['/a/', 'Path must not end with / character'],
    ['//', 'Path must not end with / character'],
    ['/a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
    ['//a', 'Invalid path string "//a" caused by empty node name specified @1'],
    ['/.', 'Invalid path string "/." caused by relative paths not allowed @1'],
    ['/./a', 'Invalid path string "/./a" caused by relative paths not allowed @1'],
    ['/a/..', 'Invalid path string "/a/.." caused by relative paths not allowed @4'],
    ['/../a', 'Invalid path string "/../a" caused by relative paths not allowed @2'],
    ['/\0', 'Invalid path string "/\0" caused by null character not allowed @1'],
    ['/a\u0001', 'Invalid path string "/a\u0001" caused by invalid character @2'],
  ]
  it.each(illegal)('refuses %j', (path, reason) => {
    expect(znodePathProblem(path)).toBe(reason)
  })

  const edges = [0x1f, 0x7f, 0x9f, 0xd800, 0xdfff, 0xe000, 0xf8ff, 0xfff0, 0xffff]
  it.each(edges)('refuses the character %i', (code) => {
    expect(znodePathProblem(`/a${String.fromCharCode(code)}`)).toContain('invalid character @2')
  })

  it.each([0x20, 0x7e, 0xa0, 0xd7ff, 0xf900, 0xffef])('accepts the character %i', (code) => {
    expect(znodePathProblem(`/a${String.fromCharCode(code)}`)).toBeNull()
  })

  it('refuses astral characters, whose halves are surrogates', () => {
    expect(znodePathProblem('/😀')).toContain('invalid character @1')
  })
})

describe('parts of a path', () => {
  it('splits and joins', () => {
    expect([parentOf('/a/b'), nameOf('/a/b')]).toEqual(['/a', 'b'])
    expect([parentOf('/a'), nameOf('/a')]).toEqual(['/', 'a'])
    expect([parentOf('/'), nameOf('/')]).toEqual(['/', ''])
    expect([joinPath('/', 'a'), joinPath('/a', 'b')]).toEqual(['/a', '/a/b'])
  })
})

describe('sequential names (D14)', () => {
  const rows: [number, string][] = [
    [0, '/p/x-0000000000'],
    [1, '/p/x-0000000001'],
    [2_147_483_647, '/p/x-2147483647'],
    [2_147_483_648, '/p/x--2147483648'],
    [-2_147_483_648, '/p/x--2147483648'],
    [-5, '/p/x--000000005'],
  ]
  it.each(rows)('%i → %s', (cversion, path) => {
    expect(sequentialName('/p/x-', cversion)).toBe(path)
  })

  it('may be digits only (D15)', () => {
    const path = sequentialName('/p/', 7)
    expect(path).toBe('/p/0000000007')
    expect(znodePathProblem(path)).toBeNull()
  })
})
