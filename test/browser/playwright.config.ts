import { defineConfig } from 'playwright/test'

/** Real tabs, disks and sockets on a machine of two cores: one file at a time. */
export default defineConfig({
  testDir: '.',
  globalSetup: './global-setup.ts',
  testMatch: '**/*.spec.ts',
  outputDir: '../../test-results',
  fullyParallel: false,
  workers: 1,
  timeout: 60_000,
  reporter: [['list']],
})
