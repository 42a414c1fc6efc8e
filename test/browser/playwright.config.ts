import { defineConfig } from 'playwright/test'

/** What they assert of hidden, frozen and sleeping machines, another test's load would change. */
const ALONE = /(freeze|hidden-tabs|sleep)\.spec\.ts$/
/** Most tests wait most of the time: on two cores a second one makes the whole a third shorter. */
const TOGETHER_WORKERS = 2

/** Real tabs, disks and sockets. `npm test` runs one project after the other. */
export default defineConfig({
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
  timeout: 90_000,
  reporter: [['list']],
})
