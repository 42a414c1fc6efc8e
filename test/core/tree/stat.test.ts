import { describe, expect, it } from 'vitest'
import {
  CONTAINER_OWNER,
  isLaterCversion,
  isValidTtl,
  matchesVersion,
  nextVersion,
  ownerKind,
  TTL_MAX_MS,
  ttlOf,
  ttlOwner,
  visibleCversion,
} from '../../../src/core/tree/stat.ts'

describe('versions (D25)', () => {
  const rows: [number, number][] = [
    [0, 1],
    [-1, 0],
    [-2, 0],
    [-3, -2],
    [2_147_483_647, -2_147_483_648],
    [-2_147_483_648, -2_147_483_647],
  ]
  it.each(rows)('the version after %i is %i', (current, next) => {
    expect(nextVersion(current)).toBe(next)
  })

  it('−1 matches every version, anything else only itself', () => {
    expect(matchesVersion(-1, 7)).toBe(true)
    expect(matchesVersion(7, 7)).toBe(true)
    expect(matchesVersion(0, 7)).toBe(false)
  })
})

describe('cversion (D14, D20)', () => {
  it('shows creates plus deletes', () => {
    expect(visibleCversion(7, 6)).toBe(8)
    expect(visibleCversion(7, 3)).toBe(11)
    expect(visibleCversion(0, 1)).toBe(-1)
  })

  it('goes on past the largest int', () => {
    expect(isLaterCversion(2, 1)).toBe(true)
    expect(isLaterCversion(1, 1)).toBe(false)
    expect(isLaterCversion(1, 2)).toBe(false)
    expect(isLaterCversion(-2_147_483_648, 2_147_483_647)).toBe(true)
    expect(isLaterCversion(2_147_483_647, -2_147_483_648)).toBe(false)
  })
})

describe('owners (D44)', () => {
  it('tells sessions, containers and times to live apart', () => {
    expect(ownerKind(0n)).toBe('none')
    expect(ownerKind(0x1083cee35470003n)).toBe('session')
    expect(ownerKind(BigInt.asIntN(64, 0xfe00_0000_0000_0001n))).toBe('session')
    expect(ownerKind(CONTAINER_OWNER)).toBe('container')
    expect(ownerKind(ttlOwner(5_000))).toBe('ttl')
    expect(BigInt.asUintN(64, CONTAINER_OWNER)).toBe(0x8000_0000_0000_0000n)
  })

  it('keeps a time to live in 40 bits', () => {
    expect(BigInt.asUintN(64, ttlOwner(5_000))).toBe(0xff00_0000_0000_1388n)
    expect(ttlOf(ttlOwner(TTL_MAX_MS))).toBe(TTL_MAX_MS)
    expect(isValidTtl(TTL_MAX_MS)).toBe(true)
    expect([0, -1, 1.5, TTL_MAX_MS + 1].map(isValidTtl)).toEqual([false, false, false, false])
  })
})
