// What the command line of the simulator refuses, before any seed runs; and what a run counts.
import { describe, expect, test } from 'vitest'
import { readOptions, type CliOptions } from './cli-options.ts'
import { FAULT_KINDS } from './draw.ts'
import type { RunResult } from './run-seed.ts'
import { Totals } from './totals.ts'

function optionsOf(...args: string[]): CliOptions {
  const options = readOptions(args)
  if (typeof options === 'string') throw new Error(options)
  return options
}

describe('what the command line refuses', () => {
  test.each([
    [['--faults', 'abc'], /no fault abc; .*\bcrash, crash-at-effect\b.*\brot\b/],
    [['--faults', '3,'], /no fault ;/],
    [['--faults', 'r0'], /no fault r0; .*\broom-crash\b/],
    [['--faults', 'r'], /no fault r;/],
    [['--voters', '0'], /--voters takes a whole number from 1 to 7/],
    [['--voters', ''], /--voters takes a whole number/],
    [['--clients', '0'], /--clients takes a whole number from 1/],
    [['--observers', '1.5'], /--observers takes a whole number/],
    [['--readers', '101'], /--readers takes a whole number from 0 to 100/],
    [['--seeds', '0'], /take whole numbers/],
    [['--hours', 'x'], /--hours takes a number above 0/],
    [['--bug', 'none'], /no bug none; there are .*missing-trunc/],
    [['--seeds', '2', '--report', 'x.html'], /tell of one seed/],
    [['--planted', '--trace'], /tell of one seed/],
    [['--nonsense'], /nonsense/],
  ])('%j', (args, words) => {
    expect(readOptions(args)).toMatch(words)
  })

  test('and what it takes', () => {
    const { firstSeed, seedCount, run } = optionsOf('--faults', '3,rot', '--voters', '5')
    expect([firstSeed, seedCount, run.drawn]).toEqual([1, 100, { voters: 5 }])
    expect(run.onlyFaults).toEqual(new Set([3, 'rot']))
    expect(optionsOf('--faults', 'r12,3,room-wipe').run.onlyFaults).toEqual(
      new Set(['r12', 3, 'room-wipe']),
    )
    expect(optionsOf('--faults', 'none').run.onlyFaults).toEqual(new Set())
    expect(optionsOf('--seed', '7', '--bug', 'missing-trunc', '--trace').isTrace).toBe(true)
  })
})

test('a night begins at a seed of its own, unless it is given one', () => {
  const nights = Array.from({ length: 4 }, () => optionsOf('--hours', '8').firstSeed)
  expect(new Set(nights).size).toBeGreaterThan(1)
  expect(optionsOf('--hours', '8', '--seed', '1').firstSeed).toBe(1)
})

describe('after many seeds', () => {
  function totalsOf(seeds: number): Totals {
    const totals = new Totals()
    const others = FAULT_KINDS.filter((kind) => kind !== 'rot')
    const counts = new Map(others.map((kind) => [kind, { drawn: 2, happened: 1 }]))
    const faults = new Map([...counts, ['rot', { drawn: 2, happened: 0 }]])
    const result = { simulatedMs: 1, operations: 1, checks: 1, events: 1, faults }
    for (let i = 0; i < seeds; i++) totals.add(result as unknown as RunResult, true)
    return totals
  }

  test('a kind of fault that never happened is named, also one of a room', () => {
    const { neverHappened, lines } = totalsOf(400)
    expect(neverHappened.slice(0, 2)).toEqual(['rot', 'room-crash'])
    expect(lines.join()).toMatch(/crash 400\/800, .* rot 0\/800/)
  })

  test('before, it may be rare', () => {
    expect(totalsOf(399).neverHappened).toEqual([])
  })
})
