// Finding and getting programs that the tests need: what each such search has in common.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const TOP = fileURLToPath(new URL('..', import.meta.url))
export const CACHE = join(TOP, 'node_modules', '.cache', 'zabra-browser')

export const VERSION_TIMEOUT_MS = 20_000
/** A full download takes a minute or two; a blocked network must not eat the time of the tests. */
export const DOWNLOAD_TIMEOUT_MS = 240_000

/** What the environment names, by the first of these variables that it has; it must start. */
export async function namedOne(variables) {
  for (const variable of variables) {
    const path = process.env[variable]
    if (path === undefined || path === '') continue
    if (await starts(path)) return path
    throw new Error(`${variable} names ${path}, which does not start`)
  }
  return undefined
}

export async function ofTheSystem(names, usualPlaces) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  for (const path of [...onPath, ...usualPlaces]) {
    // Some distributions put a script there that only says how to install the real one.
    if (existsSync(path) && (await starts(path))) return path
  }
  return undefined
}

/** The first way that leads to a program that starts. */
export async function firstThatStarts(ways) {
  for (const find of ways) {
    const path = await find().catch((error) => say(error.message))
    if (path !== undefined && (await starts(path))) return path
  }
  return undefined
}

/** Resolves to whether all are installed; false as well without apt-get or the right to use it. */
export async function installWithApt(...names) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  say(`Installing ${names.join(', ')} with apt-get.`)
  await run('apt-get', ['update', '-q'], DOWNLOAD_TIMEOUT_MS)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-q', '-y', '--no-install-recommends', ...names]
  const code = await run('apt-get', args, DOWNLOAD_TIMEOUT_MS, { env })
  if (code !== 0) say(`apt-get could not install it (${ending(code)}).`)
  return code === 0
}

export async function starts(path) {
  if (!existsSync(path)) return false
  // Browsers on Windows have no --version; being there must do.
  if (process.platform === 'win32') return true
  return (await run(path, ['--version'], VERSION_TIMEOUT_MS, { output: 'ignore' })) === 0
}

/** Resolves to the exit code, or undefined when the time was up or the program is not there. */
export function run(program, args, timeoutMs, { env = process.env, output = 2, cwd = TOP } = {}) {
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const detached = process.platform !== 'win32'
    const options = { cwd, env, detached, stdio: ['ignore', output, output] }
    const child = spawn(program, args, options)
    const timer = setTimeout(() => {
      if (detached) process.kill(-child.pid, 'SIGKILL')
      else child.kill()
      resolve(undefined)
    }, timeoutMs)
    const settle = (code) => {
      clearTimeout(timer)
      resolve(code)
    }
    child.on('error', () => settle(undefined))
    child.on('exit', (code) => settle(code ?? 1))
  })
}

export function ending(code) {
  return code === undefined ? 'it did not run or took too long' : `exit code ${code}`
}

export function say(line) {
  console.error(line)
}

/** A finder started by itself prints what it found. */
export async function print(find) {
  try {
    console.log(await find())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
