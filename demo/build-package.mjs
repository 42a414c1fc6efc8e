// Builds the npm package into lib/: `npm run build:package`, and before `npm pack`.
//
// Everything is bundled, so that a page needs no bundler and no package needs another. Rolldown,
// which is inside Vite, does it: Vite's library mode wraps the worker's address in a way that other
// bundlers overlook, while they all know `new Worker(new URL('./x', import.meta.url))`.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import { newestChange } from './build.mjs'
import { TOP } from './install.mjs'

export const PACKAGE_SOURCES = ['src', 'worker', 'demo/build-package.mjs', 'package-lock.json']
const LIB = join(TOP, 'lib')
const STAMP = join(LIB, '.sources')
const TARGET = 'es2023'
const MINIFY = { compress: { target: TARGET }, mangle: { toplevel: true }, codegen: true }
/** The module entry of simple-peer needs Node's globals; its bundled build does not. */
const ALIAS = { 'simple-peer': join(TOP, 'node_modules/simple-peer/simplepeer.min.js') }

const PAGES = { index: 'src/index.ts', client: 'src/client.ts' }
const TESTING = { testing: 'src/testing.ts' }
const WORKER = { worker: 'worker/member.worker.ts' }
/** For tests only. */
const FAULT_WORKER = { 'worker-with-faults': 'worker/member-with-faults.worker.ts' }
const TEST_KIT = { playwright: 'src/playwright.ts' }
const TEST_PAGE = { 'playwright-page': 'src/playwright/page/entry.ts' }
const SIGNAL = { signal: 'src/edge/signal.ts' }
const COMMAND = { zabra: 'src/edge/zabra.ts' }
/** Machine code, which no bundle can hold: `zabra join` says how to get it. */
const NATIVE = ['node-datachannel']
/** The test runner is the user's: two copies of it do not work together. */
const RUNNER = ['playwright/test']

/** Beside the rest: it is a third of a page, and it never changes. */
const PAGE_CHUNKS = { groups: [{ name: 'simple-peer', test: /simplepeer/ }] }

const WORKER_IN_TREE = '../../worker/member.worker.ts'
const WORKER_IN_PACKAGE = './worker.js'
const CLIENT_IN_PACKAGE = './client.js'
const EMPTY_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8" /><title>A room</title>
<link rel="icon" href="data:," /><script type="module" src="./empty-app.js"></script></html>
`
const EMPTY_PROGRAM = `import { joinRoom } from './index.ts'
await joinRoom({ onStatus: ({ text }) => (document.title = text) })
`

/** Types of consumers' compilers know `await using` only when they are told. */
const TYPES_BANNER = '/// <reference lib="esnext.disposable" />\n/// <reference lib="dom" />'

export async function buildPackageWhenChanged() {
  const built = await readFile(STAMP, 'utf8').catch(() => undefined)
  if (built === (await newestChange(PACKAGE_SOURCES))) return
  console.log('Building the package.')
  await buildPackage()
}

export async function buildPackage() {
  // The time from before the build: what changes while it runs must be built again.
  const newest = await newestChange(PACKAGE_SOURCES)
  await rm(LIB, { recursive: true, force: true })
  const inputs = [PAGES, TESTING, WORKER, SIGNAL, COMMAND, FAULT_WORKER, TEST_KIT, TEST_PAGE]
  for (const input of inputs) {
    await bundle(input)
  }
  await emptyApp()
  await quoteWorkerAddress()
  await declarations()
  await writeFile(STAMP, newest)
}

/**
 * What a user's bundler makes of a program that imports from the sources: one minified file, but
 * for the modules that `without` matches. For the budgets.
 */
export async function bundledAlone(program, without = []) {
  const entry = join(TOP, 'src', 'budget-entry.ts')
  const built = await rolldown({
    ...inputOptions({ entry }),
    external: [...without, 'simple-peer'],
    plugins: [programOf(entry, program)],
  })
  const { output } = await built.generate({ format: 'es', minify: MINIFY, codeSplitting: false })
  await built.close()
  return output[0].code
}

/** An entry is kept, whatever `sideEffects` of the package says. */
function keptWhole() {
  return {
    name: 'zabra:kept-whole',
    transform: (_code, id) =>
      /(\.worker|\/page\/entry)\.ts$/.test(id) ? { moduleSideEffects: true } : null,
  }
}

/** A module that is no file. */
function programOf(entry, program) {
  return {
    name: 'zabra:program',
    resolveId: (id) => (id === entry ? id : undefined),
    load: (id) => (id === entry ? program : undefined),
    // An entry of the package, which is kept whatever `sideEffects` says.
    transform: (_code, id) => (/\.worker\.ts$/.test(id) ? { moduleSideEffects: true } : null),
  }
}

async function bundle(input) {
  const isCommand = input === SIGNAL || input === COMMAND
  const isForNode = isCommand || input === TEST_KIT
  const isScript = input === TEST_PAGE
  const built = await rolldown({
    ...inputOptions(input),
    platform: isForNode ? 'node' : 'browser',
    ...(isForNode ? { external: [...NATIVE, ...RUNNER] } : {}),
    plugins: PLUGINS.get(input)?.() ?? [],
  })
  await built.write({
    dir: LIB,
    format: isScript ? 'iife' : 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    minify: MINIFY,
    // A worker in several files would not pass through bundlers that make classic workers.
    codeSplitting: input === PAGES ? PAGE_CHUNKS : false,
    ...(isCommand ? { banner: '#!/usr/bin/env node' } : {}),
  })
  await built.close()
}

function inputOptions(input) {
  return {
    cwd: TOP,
    input,
    platform: 'browser',
    resolve: { alias: ALIAS },
    transform: { target: TARGET },
    tsconfig: false,
    checks: { bundlerTimings: false },
  }
}

/** Not every bundler takes a template for a string, as the minifier writes it. Same length. */
async function quoteWorkerAddress() {
  const path = join(LIB, 'index.js')
  const code = await readFile(path, 'utf8')
  await writeFile(path, code.replace(`\`${WORKER_IN_PACKAGE}\``, `'${WORKER_IN_PACKAGE}'`))
}

/** What `zabra/playwright` opens for those who test without an app: it joins, that is all. */
async function emptyApp() {
  const folder = join(LIB, 'empty-app')
  await mkdir(folder)
  await writeFile(join(folder, 'index.html'), EMPTY_PAGE)
  const entry = join(TOP, 'src', 'empty-app.ts')
  const built = await rolldown({
    ...inputOptions({ 'empty-app': entry }),
    plugins: [workerBeside(), programOf(entry, EMPTY_PROGRAM)],
  })
  await built.write({ dir: folder, format: 'es', minify: MINIFY, codeSplitting: false })
  await built.close()
  await copyFile(join(LIB, 'worker.js'), join(folder, 'worker.js'))
}

/** One file per entry, whose types come from nowhere else. */
async function declarations() {
  const built = await rolldown({
    cwd: TOP,
    input: { ...PAGES, ...TESTING, ...TEST_KIT },
    external: RUNNER,
    tsconfig: false,
    checks: { bundlerTimings: false },
    plugins: [dts({ emitDtsOnly: true, oxc: true, tsconfig: false })],
  })
  await built.write({
    dir: LIB,
    format: 'es',
    chunkFileNames: 'shared.d.ts',
    banner: TYPES_BANNER,
  })
  await built.close()
  for (const name of ['worker', 'worker-with-faults']) {
    await writeFile(join(LIB, `${name}.d.ts`), '// A Web Worker: it exports nothing.\nexport {}\n')
  }
}

/**
 * An app and its tests must have one ZooKeeperClient and one ZooKeeperError, and a page nothing of
 * what tests need: so these come from the client's entry, not into the bundle of the tests.
 */
function clientBeside() {
  return {
    name: 'zabra:client-beside',
    resolveId(source) {
      const isShared = /\/client\/(zookeeper-client|errors)\.ts$/.test(source)
      return isShared ? { id: CLIENT_IN_PACKAGE, external: true } : null
    },
  }
}

const PLUGINS = new Map([
  [PAGES, () => [workerBeside()]],
  [TESTING, () => [clientBeside()]],
  [TEST_KIT, () => [clientBeside()]],
  [TEST_PAGE, () => [keptWhole()]],
])

/** In the package the worker is a file beside the others. */
function workerBeside() {
  let isReplaced = false
  return {
    name: 'zabra:worker-beside',
    transform(code, id) {
      if (!id.endsWith('/member-worker.ts')) return undefined
      isReplaced = code.includes(WORKER_IN_TREE)
      return { code: code.replace(WORKER_IN_TREE, WORKER_IN_PACKAGE), map: null }
    },
    buildEnd() {
      if (!isReplaced) throw new Error(`nothing starts ${WORKER_IN_TREE} any more`)
    },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await buildPackage()
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
}
