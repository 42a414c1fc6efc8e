// Builds the pages into dist/. `npm run build` always builds; `npm start` only when a source is
// newer than what was built last.
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { run, TOP } from './install.mjs'

/** What the built pages depend on. */
const SOURCES = ['src', 'worker', 'demo', 'vite.config.ts', 'package-lock.json']
const STAMP = join(TOP, 'dist', '.sources')

export async function buildWhatChanged() {
  const built = await readFile(STAMP, 'utf8').catch(() => undefined)
  if (built === (await newestChange(SOURCES))) return
  console.log('Building the pages.')
  await build('warn')
}

async function build(logLevel) {
  // The time from before the build: what changes while it runs must be built again.
  const newest = await newestChange(SOURCES)
  const vite = join(TOP, 'node_modules', 'vite', 'bin', 'vite.js')
  // A setting of NODE_ENV around us, as in tests, must not change what is built.
  const env = { ...process.env, NODE_ENV: 'production' }
  const code = await run(process.execPath, [vite, 'build', '--logLevel', logLevel], env)
  if (code !== 0) throw new Error('the pages did not build; the message of Vite is above')
  await writeFile(STAMP, newest)
}

export async function newestChange(sources) {
  const times = await Promise.all(sources.map((source) => newestBelowMs(join(TOP, source))))
  return String(Math.max(...times))
}

/** Folders count too: their time changes when a file in them is removed. */
async function newestBelowMs(path) {
  const info = await stat(path)
  if (!info.isDirectory()) return info.mtimeMs
  const names = await readdir(path)
  const times = await Promise.all(names.map((name) => newestBelowMs(join(path, name))))
  return Math.max(info.mtimeMs, ...times)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await build('info')
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
}
