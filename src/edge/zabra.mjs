#!/usr/bin/env node
// The `zabra` command. The package brings its bundle; in a clone the same bundle is made of the
// sources here, by esbuild, whenever one of them has changed: that takes a quarter of a second.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const ENTRY = 'src/edge/zabra.ts'
const PACKAGED = new URL('../../lib/zabra.js', import.meta.url)
// Beside the installed packages, which it imports as the sources do.
const CACHE = `${TOP}node_modules/.cache/zabra`

/** Resolves to the name of the bundle of these sources. */
async function bundleOfClone() {
  const name = `zabra-${newestChangeMs(`${TOP}src`)}.mjs`
  if (existsSync(`${CACHE}/${name}`)) return name
  const { build } = await import('esbuild')
  mkdirSync(CACHE, { recursive: true })
  const draft = `${CACHE}/${process.pid}-${name}`
  await build({
    absWorkingDir: TOP,
    entryPoints: [ENTRY],
    outfile: draft,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  })
  // Another process may have made it at the same time: it is the same one.
  renameSync(draft, `${CACHE}/${name}`)
  for (const old of readdirSync(CACHE)) {
    if (old.startsWith('zabra-') && old !== name) rmSync(`${CACHE}/${old}`, { force: true })
  }
  return name
}

/** Folders count too: their time changes when a file in them is removed. */
function newestChangeMs(folder) {
  let newest = Math.trunc(statSync(folder).mtimeMs)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    const own = entry.isDirectory() ? newestChangeMs(path) : Math.trunc(statSync(path).mtimeMs)
    newest = Math.max(newest, own)
  }
  return newest
}

if (existsSync(`${TOP}${ENTRY}`)) {
  let name
  try {
    name = await bundleOfClone()
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    process.stderr.write('zabra: its packages are missing; run npm install first\n')
    process.exit(1)
  }
  process.setSourceMapsEnabled(true)
  await import(new URL(`../../node_modules/.cache/zabra/${name}`, import.meta.url).href)
} else {
  await import(PACKAGED.href)
}
