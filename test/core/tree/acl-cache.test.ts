import { describe, expect, it } from 'vitest'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { AclCache, aclKey, OPEN_ACL_ENTRY } from '../../../src/core/tree/acl-cache.ts'
import { permits } from '../../../src/core/tree/acl.ts'

const list = (perms: number, scheme = 'world', id = 'anyone'): Acl[] => [
  { perms, id: { scheme, id } },
]

describe('ACL cache (A14)', () => {
  it('keeps equal lists once and counts their users', () => {
    const cache = new AclCache()
    const first = cache.acquire(list(1))
    const other = cache.acquire(list(2))
    expect(cache.acquire(list(1))).toBe(first)
    expect([first.uses, other.uses, cache.size]).toEqual([2, 1, 2])
    cache.release(first)
    expect(cache.size).toBe(2)
    cache.release(first)
    expect(cache.size).toBe(1)
    expect(cache.acquire(list(1))).not.toBe(first)
  })

  it('does not revive the list it just forgot', () => {
    const cache = new AclCache()
    cache.release(cache.acquire(list(1)))
    const again = cache.acquire(list(1))
    expect([again.uses, cache.size]).toEqual([1, 1])
    expect(cache.entries()).toEqual([again])
  })

  it('null is open, an explicit open list is a list', () => {
    const cache = new AclCache()
    expect(cache.acquire(null)).toBe(OPEN_ACL_ENTRY)
    expect(cache.acquire(OPEN_ACL_UNSAFE).index).toBe(1)
    cache.release(OPEN_ACL_ENTRY)
    expect(OPEN_ACL_ENTRY.uses).toBe(0)
  })

  it('asserts on a release too many', () => {
    const cache = new AclCache()
    const entry = cache.acquire(list(1))
    cache.release(entry)
    expect(() => cache.release(entry)).toThrow(/released too often/)
  })

  it('tells lists apart whose texts run together', () => {
    const a = aclKey([...list(1, 'ab', 'c'), ...list(2, 'd', '')])
    expect(aclKey(list(1, 'a', 'bc'))).not.toBe(aclKey(list(1, 'ab', 'c')))
    expect(aclKey([...list(1, 'ab', 'c2,1,0,d')])).not.toBe(a)
  })

  it('restores indexes, drops the unused, and lets nobody in where a list is missing', () => {
    const cache = new AclCache()
    cache.load(5, list(1))
    cache.load(9, list(2))
    expect(cache.acquireIndex(5).list).toEqual(list(1))
    const missing = cache.acquireIndex(12)
    expect(permits(missing.list, 31, [])).toBe(false)
    cache.purgeUnused()
    expect(cache.entries().map((entry) => entry.index)).toEqual([5, 12])
    expect(cache.acquire(list(4)).index).toBe(13)
    expect(cache.acquire(list(1)).index).toBe(5)
  })
})
