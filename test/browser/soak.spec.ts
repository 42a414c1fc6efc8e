// The soak of `npm run soak` for a moment: three tabs under load and faults that one seed draws.
import { expect, test } from 'playwright/test'
import { writeFailure } from '../soak/failure-files.ts'
import { Soak } from '../soak/soak.ts'

const SEED = 11
const FAULTS_MS = 10_000
/** A bound on hanging: founding, healing and judging on two busy cores. */
const LIMIT_MS = 180_000

test('whatever befalls three tabs for a while, every promise is kept', async () => {
  test.setTimeout(LIMIT_MS)
  const soak = new Soak({
    ...{ seed: SEED, tabs: 3, browsers: 1, sessions: 4, only: null, headless: true },
    partMs: FAULTS_MS,
    signal: new AbortController().signal,
    onPart: () => {},
    onFault: () => {},
  })
  const failure = await soak.run({ parts: 1 })
  if (failure !== null) {
    const paths = await writeFailure(failure, test.info().outputPath('soak'), { seed: `${SEED}` })
    for (const path of paths) await test.info().attach(path, { path })
    throw new Error(`${failure.what}; the history as a page: ${paths[0] ?? ''}`)
  }
  const { totals } = soak
  test.info().annotations.push({ type: 'soak', description: totals.words })
  expect(totals.operations).toBeGreaterThan(100)
  expect(totals.checks).toBeGreaterThan(totals.operations)
  expect([...totals.counts.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
})
