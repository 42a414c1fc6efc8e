import { expect, it } from 'vitest'
import type { DataTree } from '../../../src/core/tree/data-tree.ts'
import { differenceLines, sumLines } from '../../../src/edge/tools/subtree-sums.ts'
import { TreeDriver } from '../../core/tree/tree-driver.ts'

const NONE = { nodes: 0, bytes: 0 }

/** Paths and their data; parents first. */
function treeOf(nodes: Readonly<Record<string, string>>): DataTree {
  const driver = new TreeDriver()
  for (const [path, data] of Object.entries(nodes)) {
    driver.create(path)
    driver.set(path, data)
  }
  return driver.tree
}

const BEFORE = { '/a': 'xx', '/a/b': 'yyy', '/a/b/c': '', '/app': 'old!', '/gone': 'z' }
const AFTER = { '/a': 'xx', '/a/b': 'yyy', '/a/b/d': 'w', '/app': 'new!', '/a/b/e': '' }

it('sums up each subtree, as deep as one asks', () => {
  const tree = treeOf(BEFORE)
  expect([...sumLines(tree, '/a', 1)]).toEqual(['/a: 3 znodes, 5 bytes', '/a/b: 2 znodes, 3 bytes'])
  expect([...sumLines(tree, '/a', 0)]).toEqual(['/a: 3 znodes, 5 bytes'])
  expect([...sumLines(tree, '/', 1)]).toEqual([
    expect.stringMatching(/^\/: \d+ znodes, \d+ bytes$/),
    ...['/a: 3 znodes, 5 bytes', '/app: 1 znode, 4 bytes', '/gone: 1 znode, 1 byte'],
    expect.stringMatching(/^\/zookeeper: /),
  ])
})

it('tells what is more, fewer, gone and other', () => {
  const [before, after] = [treeOf(BEFORE), treeOf(AFTER)]
  expect([...differenceLines(before, before, NONE)]).toEqual([])
  expect([...differenceLines(before, after, NONE)]).toEqual([
    ...['/a: +1 znodes, +1 bytes', '/a/b: +1 znodes, +1 bytes'],
    ...['/a/b/c: only in the first, 1 znode, 0 bytes'],
    ...['/a/b/d: only in the second, 1 znode, 1 byte'],
    ...['/a/b/e: only in the second, 1 znode, 0 bytes', '/app: other data'],
    '/gone: only in the first, 1 znode, 1 byte',
  ])
  expect([...differenceLines(after, before, { nodes: 0, bytes: 9 })]).toEqual([
    ...['/a: -1 znodes, -1 bytes', '/a/b: -1 znodes, -1 bytes'],
    ...['/a/b/c: only in the second, 1 znode, 0 bytes'],
    ...['/a/b/d: only in the first, 1 znode, 1 byte'],
    ...['/a/b/e: only in the first, 1 znode, 0 bytes'],
    '/gone: only in the second, 1 znode, 1 byte',
  ])
  expect([...differenceLines(before, after, { nodes: 2, bytes: 2 })]).toEqual([])
})

it('a difference deep below sums that are alike is found', () => {
  const left = treeOf({ '/m': '', '/m/one': 'xx', '/m/two': '' })
  const right = treeOf({ '/m': '', '/m/one': '', '/m/two': 'xx' })
  expect([...differenceLines(left, right, NONE)]).toEqual([
    '/m/one: 0 znodes, -2 bytes',
    '/m/two: 0 znodes, +2 bytes',
  ])
})
