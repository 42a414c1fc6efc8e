import { expect, test } from 'vitest'
import { assert, AssertionError, unreachable } from '../../../src/core/base/assert.ts'

test('assert passes what is truthy and narrows it', () => {
  const value: string | null = ['x'].at(0) ?? null
  assert(value, 'there is one')
  expect(value.length).toBe(1)
})

test('assert throws an AssertionError with its message', () => {
  expect(() => {
    assert(0, 'zero is no leader')
  }).toThrow(new AssertionError('zero is no leader'))
})

test('unreachable names what came', () => {
  expect(() => unreachable('COMMIT' as never)).toThrow('unreachable: COMMIT')
})
