import { fileURLToPath } from 'node:url'
import { defineConfig } from 'playwright/test'
import type { KitFixtures } from '../../src/playwright/fixtures.ts'

/** What they assert another test's load would change, or theirs what the others assert. */
const ALONE = /(crowd|freeze|hidden-tabs|same-tab|sleep)\.spec\.ts$/
/** Most tests wait most of the time: on two cores a second one makes the whole a third shorter. */
const TOGETHER_WORKERS = 2
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

/** Real tabs, disks and sockets. `npm test` runs one project after the other. */
export default defineConfig<Pick<KitFixtures, 'zabra'>>({
  testDir: '.',
  globalSetup: './global-setup.ts',
  testMatch: '**/*.spec.ts',
  outputDir: '../../test-results',
  fullyParallel: false,
  workers: TOGETHER_WORKERS,
  projects: [
    { name: 'together', testIgnore: ALONE },
    { name: 'alone', testMatch: ALONE, workers: 1 },
  ],
  // The pages as they are served, with the worker that they have there: who hurts links or storage
  // asks for another one.
  use: {
    zabra: { folder: DIST, page: 'machine.html', signaling: 'app', browser: { faults: false } },
  },
  // Bounds on hanging, not measures of speed: two busy cores take their time.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
})
