import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const pages = ['demo/index.html', 'demo/machine.html'].map(here)

/** Tests of code that has no clock, no chance, no files and no globals of its own. */
const PURE = ['client', 'core', 'explanation', 'history', 'paper', 'sim'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
)

export default defineConfig(({ command }) => ({
  // The pages are built from demo/; Vitest looks for tests from the top.
  root: here(command === 'build' ? 'demo' : '.'),
  // Relative addresses: with absolute ones a consumer's worker never answers.
  base: './',
  // The module entry of simple-peer needs Node's globals; its bundled build does not.
  resolve: { alias: { 'simple-peer': 'simple-peer/simplepeer.min.js' } },
  worker: { format: 'es' },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2023',
    rolldownOptions: { input: pages },
  },
  test: {
    // A bound on hanging, not a measure of speed: two busy cores take their time.
    testTimeout: 60_000,
    projects: [
      // They leave nothing behind, so one process takes one file after the other: half the time.
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'worldly',
          include: ['test/**/*.test.ts'],
          exclude: [...PURE, 'test/browser/**', 'node_modules/**'],
        },
      },
    ],
  },
}))
