import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'

function draw(prng: Prng, count: number): number[] {
  return Array.from({ length: count }, () => prng.uint32())
}

describe('Prng', () => {
  test('one seed replays one history, pinned so that old seeds keep their meaning', () => {
    expect(draw(new Prng(1), 20)).toEqual(draw(new Prng('1'), 20))
    expect(draw(new Prng(1), 3)).toMatchInlineSnapshot(`
      [
        3359749209,
        1171286547,
        1057432362,
      ]
    `)
    expect(draw(new Prng('a').fork('b'), 3)).toMatchInlineSnapshot(`
      [
        644050693,
        1528413747,
        4289657956,
      ]
    `)
  })

  test('neighbouring seeds differ at once', () => {
    const firsts = new Set(Array.from({ length: 2000 }, (_, seed) => new Prng(seed).uint32()))
    expect(firsts.size).toBe(2000)
  })

  test('a fork depends on seed and label, not on what was drawn', () => {
    const fresh = new Prng(7)
    const used = new Prng(7)
    draw(used, 100)
    expect(draw(used.fork('net'), 10)).toEqual(draw(fresh.fork('net'), 10))
    expect(draw(fresh.fork('net'), 10)).not.toEqual(draw(fresh.fork('disk'), 10))
    expect(draw(fresh.fork('a').fork('b'), 10)).toEqual(draw(fresh.fork('a').fork('b'), 10))
  })

  test('stays inside its bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 1000 }), (seed, max) => {
        const prng = new Prng(seed)
        for (let i = 0; i < 50; i++) {
          const x = prng.next()
          const n = prng.int(max)
          if (x < 0 || x >= 1 || !Number.isInteger(n) || n < 0 || n >= max) return false
        }
        return true
      }),
    )
  })

  test('is spread evenly enough', () => {
    const prng = new Prng('spread')
    const counts = new Array<number>(10).fill(0)
    let trues = 0
    for (let i = 0; i < 100_000; i++) {
      counts[prng.int(10)]!++
      if (prng.bool(0.25)) trues++
    }
    // Five standard deviations: about 475 for the tenths, 685 for the quarter.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475)
    expect(Math.abs(trues - 25_000)).toBeLessThan(685)
  })

  test('bool keeps its promise at the ends', () => {
    const prng = new Prng(3)
    for (let i = 0; i < 1000; i++) {
      expect(prng.bool(0)).toBe(false)
      expect(prng.bool(1)).toBe(true)
    }
  })

  test('pick reaches every item, and asserts on none', () => {
    const prng = new Prng(5)
    const seen = new Set(Array.from({ length: 200 }, () => prng.pick(['a', 'b', 'c'])))
    expect([...seen].sort()).toEqual(['a', 'b', 'c'])
    expect(() => prng.pick([])).toThrow('empty')
    expect(() => prng.int(0)).toThrow('int(0)')
  })
})
