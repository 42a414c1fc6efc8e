import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type { Acl, Id } from '../../../src/core/jute/data-records.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import { SUPER_ID } from '../../../src/core/tree/acl.ts'
import { visibleStat } from '../../../src/core/tree/stat.ts'
import {
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  isErrorCode,
} from '../../../src/core/tree/tree-reader.ts'
import { TreeDriver } from './tree-driver.ts'

const ann: Id = { scheme: 'digest', id: 'ann:hash' }
const readOnlyForAnn: Acl[] = [{ perms: Perms.READ, id: ann }]
const READS = { getData, exists, getChildren, getChildren2, getAcl, getAllChildrenNumber }

describe.each(Object.entries(READS))('%s', (_name, read) => {
  it('NONODE, then NOAUTH, then an answer (D59–D61, A10)', () => {
    const driver = new TreeDriver()
    driver.create('/a', { acl: readOnlyForAnn })
    expect(read(driver.tree, '/none', [ann])).toBe(ErrorCode.NONODE)
    expect(read(driver.tree, '/a', [])).toBe(ErrorCode.NOAUTH)
    expect(isErrorCode(read(driver.tree, '/a', [ann]))).toBe(false)
    expect(isErrorCode(read(driver.tree, '/a', [SUPER_ID]))).toBe(false)
  })

  it('finds the root under both names (D1)', () => {
    const { tree } = new TreeDriver()
    const found = read(tree, '/', [])
    if (read !== getAllChildrenNumber) expect(read(tree, '', [])).toEqual(found)
    // The other name of the root begins with '' and '/', so ZooKeeper counts it (D5).
    else expect([found, read(tree, '', [])]).toEqual([{ totalNumber: 3 }, { totalNumber: 4 }])
  })
})

describe('answers', () => {
  it('D46 getData tells null from empty', () => {
    const driver = new TreeDriver()
    driver.create('/null')
    driver.create('/bytes', { data: encodeUtf8('hi') })
    expect(getData(driver.tree, '/null', [])).toMatchObject({ data: null })
    expect(getData(driver.tree, '/bytes', [])).toEqual({
      data: encodeUtf8('hi'),
      stat: visibleStat(driver.tree.node('/bytes')!),
    })
  })

  it('D60 exists refuses NUL', () => {
    expect(exists(new TreeDriver().tree, '/a\0', [])).toBe(ErrorCode.BADARGUMENTS)
  })

  it('D59 children by name, with and without Stat', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    expect(getChildren(driver.tree, '/p', [])).toEqual([])
    for (const name of ['b', 'a', 'c']) driver.create(`/p/${name}`)
    driver.delete('/p/a')
    expect([...(getChildren(driver.tree, '/p', []) as string[])].sort()).toEqual(['b', 'c'])
    expect(getChildren2(driver.tree, '/p', [])).toMatchObject({ stat: { numChildren: 2 } })
  })

  it('an answer does not change afterwards (D23)', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.create('/p/a')
    const answer = getChildren2(driver.tree, '/p', [])
    const copy = structuredClone(answer)
    driver.create('/p/b')
    driver.set('/p', 'x')
    expect(answer).toEqual(copy)
  })

  it('D61 getACL masks hashes for those who may not administer', () => {
    const driver = new TreeDriver()
    const acl = [
      { perms: Perms.READ, id: { scheme: 'world', id: 'anyone' } },
      { perms: Perms.ALL, id: ann },
    ]
    driver.create('/a', { acl })
    const masked = [acl[0], { perms: Perms.ALL, id: { scheme: 'digest', id: 'ann:x' } }]
    expect(getAcl(driver.tree, '/a', [])).toMatchObject({ acl: masked })
    expect(getAcl(driver.tree, '/a', [ann])).toMatchObject({ acl })
    driver.create('/admin', { acl: [{ perms: Perms.ADMIN, id: ann }] })
    expect(isErrorCode(getAcl(driver.tree, '/admin', [ann]))).toBe(false)
    expect(getAcl(driver.tree, '/admin', [])).toBe(ErrorCode.NOAUTH)
    driver.create('/open', { acl: OPEN_ACL_UNSAFE })
    expect(getAcl(driver.tree, '/open', [])).toMatchObject({ acl: OPEN_ACL_UNSAFE })
  })

  it('D59 getEphemerals: own ones, by a plain prefix of the text', () => {
    const driver = new TreeDriver()
    for (const path of ['/a', '/ab', '/b']) driver.create(path, { owner: 5n })
    driver.create('/abc', { owner: 6n })
    const all = ['/a', '/ab', '/b']
    for (const prefix of [null, '', ' ', '/', ' / ']) {
      expect(getEphemerals(driver.tree, 5n, prefix)).toEqual(all)
    }
    expect(getEphemerals(driver.tree, 5n, '/a')).toEqual(['/a', '/ab'])
    expect(getEphemerals(driver.tree, 5n, '/x')).toEqual([])
    expect(getEphemerals(driver.tree, 7n, null)).toEqual([])
  })

  it('D5 getAllChildrenNumber counts every depth, and the special nodes below the root', () => {
    const driver = new TreeDriver()
    for (const path of ['/a', '/a/b', '/a/b/c', '/ab', '/ab/x']) driver.create(path)
    const count = (path: string) => getAllChildrenNumber(driver.tree, path, [])
    expect(count('/')).toEqual({ totalNumber: 8 })
    expect(count('/a')).toEqual({ totalNumber: 2 })
    expect(count('/a/b/c')).toEqual({ totalNumber: 0 })
    expect(count('/zookeeper')).toEqual({ totalNumber: 2 })
  })
})
