import { describe, expect, it } from 'vitest'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import { EnsembleRecording } from '../../src/playwright/ensemble-recording.ts'
import { expect as kitExpect } from '../../src/playwright/expectations.ts'

/** Of whose clients none asked anything. */
const UNUSED = {
  recording: () => new EnsembleRecording().finish('at rest', []),
} as unknown as Ensemble

describe('what cannot be judged', () => {
  it('is not kept', async () => {
    await expect(kitExpect(UNUSED).linearizable()).rejects.toThrow(/nothing to judge/)
  })

  it('is not broken either', async () => {
    await expect(kitExpect(UNUSED).not.linearizable()).rejects.toThrow(/nothing to judge/)
  })
})
