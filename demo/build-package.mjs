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
/** The module entry of simple-peer needs Node's globals; its bundled build does not. */
const ALIAS = { 'simple-peer': join(TOP, 'node_modules/simple-peer/simplepeer.min.js') }

export const PAGES = { index: 'src/index.ts', client: 'src/client.ts' }
export const WORKER = { worker: 'worker/member.worker.ts' }
const SIGNAL = { signal: 'src/edge/signal.ts' }

const WORKER_IN_TREE = '../../worker/member.worker.ts'
const WORKER_IN_PACKAGE = './worker.js'
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
  await bundle(PAGES, (built, output) => built.write({ dir: LIB, ...output }))
  await bundle(WORKER, (built, output) => built.write({ dir: LIB, ...output }))
  await bundle(SIGNAL, (built, output) => built.write({ dir: LIB, ...output }))
  await quoteWorkerAddress()
  await declarations()
  await writeFile(STAMP, newest)
}

/** As `bundle` makes it for the package, in memory: Rolldown's chunks. */
export async function bundled(input) {
  const { output } = await bundle(input, (built, options) => built.generate(options))
  return output.filter((file) => file.type === 'chunk')
}

async function bundle(input, make) {
  const isForNode = input === SIGNAL
  const built = await rolldown({
    cwd: TOP,
    input,
    platform: isForNode ? 'node' : 'browser',
    resolve: { alias: ALIAS },
    transform: { target: TARGET },
    tsconfig: false,
    plugins: input === PAGES ? [workerBeside()] : [],
  })
  const made = await make(built, {
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    minify: { compress: { target: TARGET }, mangle: { toplevel: true }, codegen: true },
    codeSplitting: { groups: [{ name: 'simple-peer', test: /simplepeer/ }] },
    ...(isForNode ? { banner: '#!/usr/bin/env node' } : {}),
  })
  await built.close()
  return made
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
    input: PAGES,
    tsconfig: false,
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
