import { describe, expect, test } from 'vitest'
import { describeFailure, fuzz } from './fuzz.ts'
import { AllocationError, withAllocationLimit } from './allocation-limit.ts'

/** `npm run fuzz` takes a million. */
const INPUTS = 20_000

describe('hostile bytes', () => {
  test('are refused by everything that reads any', async () => {
    const { ran, failures } = await fuzz({ seed: 1, inputs: INPUTS })
    expect(failures.map(describeFailure)).toEqual([])
    expect(ran).toBe(INPUTS)
  })

  test('cannot make anybody allocate what they claim: the limit sees it', async () => {
    const giant = withAllocationLimit(() => new Uint8Array(0x7fff_ffff))
    await expect(giant).rejects.toThrow(AllocationError)
    expect(new Uint8Array(0x0200_0000).length).toBe(0x0200_0000)
  })
})
