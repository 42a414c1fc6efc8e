// Builds the npm package into lib/: `npm run build:package`, and before `npm pack`.
//
// Everything is bundled, so that a page needs no bundler and no package needs another. Rolldown,
// which is inside Vite, does it: Vite's library mode wraps the worker's address in a way that other
// bundlers overlook, while they all know `new Worker(new URL('./x', import.meta.url))`.
import { readFile, rm, writeFile } from 'node:fs/promises'
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
const SIGNAL = { signal: 'src/edge/signal.ts' }
const COMMAND = { zabra: 'src/edge/zabra.ts' }
/** Machine code, which no bundle can hold: `zabra join` says how to get it. */
const NATIVE = ['node-datachannel']

/** Beside the rest: it is a third of a page, and it never changes. */
const PAGE_CHUNKS = { groups: [{ name: 'simple-peer', test: /simplepeer/ }] }

const WORKER_IN_TREE = '../../worker/member.worker.ts'
const WORKER_IN_PACKAGE = './worker.js'
const CLIENT_IN_PACKAGE = './client.js'
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
  for (const input of [PAGES, TESTING, WORKER, SIGNAL, COMMAND]) {
    await bundle(input)
  }
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
    plugins: [
      {
        name: 'zabra:budget-entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? program : undefined),
        // An entry of the package, which is kept whatever `sideEffects` says.
        transform: (_code, id) => (/\.worker\.ts$/.test(id) ? { moduleSideEffects: true } : null),
      },
    ],
  })
  const { output } = await built.generate({ format: 'es', minify: MINIFY, codeSplitting: false })
  await built.close()
  return output[0].code
}

async function bundle(input) {
  const isForNode = input === SIGNAL || input === COMMAND
  const built = await rolldown({
    ...inputOptions(input),
    platform: isForNode ? 'node' : 'browser',
    ...(isForNode ? { external: NATIVE } : {}),
    plugins: PLUGINS.get(input)?.() ?? [],
  })
  await built.write({
    dir: LIB,
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    minify: MINIFY,
    // A worker in several files would not pass through bundlers that make classic workers.
    codeSplitting: input === PAGES ? PAGE_CHUNKS : false,
    ...(isForNode ? { banner: '#!/usr/bin/env node' } : {}),
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

/** One file per entry, whose types come from nowhere else. */
async function declarations() {
  const built = await rolldown({
    cwd: TOP,
    input: { ...PAGES, ...TESTING },
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
  await writeFile(join(LIB, 'worker.d.ts'), '// A Web Worker: it exports nothing.\nexport {}\n')
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
