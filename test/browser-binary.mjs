// Finds a Chromium for the browser tests, and gets one when this machine has none. In order: one
// named by environment, the system's, Playwright's own, one from a package.
// `node test/browser-binary.mjs` prints its path; progress goes to the error output.
import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'

const TOP = fileURLToPath(new URL('..', import.meta.url))
const CACHE = join(TOP, 'node_modules', '.cache', 'zabra-browser')

const VERSION_TIMEOUT_MS = 20_000
/** A full download takes a minute or two; a blocked network must not eat the time of the tests. */
const DOWNLOAD_TIMEOUT_MS = 240_000

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const USUAL_PLACES = [
  ...NAMES.map((name) => `/usr/bin/${name}`),
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
]

/** A Chromium inside an npm package, for Linux on x64. The newest that Node 20 may install. */
const PACKAGE = '@sparticuz/chromium'
const PACKAGE_VERSION = '143.0.4'

const BROWSER = join(CACHE, 'chromium')
const WITH_LIBRARIES = join(CACHE, 'chromium-with-libraries')

/** What is here already, then what takes a download. */
const WAYS = [
  ofTheSystem,
  ofPlaywright,
  unpackedBefore,
  downloadedByPlaywright,
  fromDebian,
  fromNpm,
]

/** Resolves to the path of a Chromium that starts; rejects when there is none to be had. */
export async function findBrowser() {
  const named = namedByEnvironment()
  if (named !== undefined) {
    if (await starts(named.path)) return named.path
    throw new Error(`${named.variable} names ${named.path}, which does not start`)
  }
  for (const find of WAYS) {
    const path = await find().catch((error) => say(error.message))
    if (path !== undefined && (await starts(path))) return path
  }
  throw new Error(
    'no Chromium found or installed; name one: ZABRA_BROWSER=/path/to/chrome npm test',
  )
}

function namedByEnvironment() {
  for (const variable of ['ZABRA_BROWSER', 'CHROMIUM']) {
    const path = process.env[variable]
    if (path !== undefined && path !== '') return { variable, path }
  }
  return undefined
}

async function ofTheSystem() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)))
  for (const path of [...onPath, ...USUAL_PLACES]) {
    // Some distributions put a script there that only says how to install the real one.
    if (existsSync(path) && (await starts(path))) return path
  }
  return undefined
}

async function ofPlaywright() {
  const { chromium } = await import('playwright')
  return chromium.executablePath()
}

/** What an earlier run unpacked. */
async function unpackedBefore() {
  return (await starts(WITH_LIBRARIES)) ? WITH_LIBRARIES : BROWSER
}

async function downloadedByPlaywright() {
  const { chromium } = await import('playwright')
  say('No browser on this machine; Playwright downloads its own.')
  const cli = join(TOP, 'node_modules', 'playwright', 'cli.js')
  const install = (what) => run(process.execPath, [cli, what, 'chromium'], DOWNLOAD_TIMEOUT_MS)
  const code = await install('install')
  if (code !== 0) {
    say(`Playwright could not download it (${ending(code)}).`)
    return undefined
  }
  const path = chromium.executablePath()
  if (!(await starts(path)) && process.getuid?.() === 0) await install('install-deps')
  return path
}

async function fromDebian() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined
  say('Installing the package chromium with apt-get.')
  await run('apt-get', ['update', '-q'], DOWNLOAD_TIMEOUT_MS)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-q', '-y', '--no-install-recommends', 'chromium']
  const code = await run('apt-get', args, DOWNLOAD_TIMEOUT_MS, env)
  if (code === 0) return '/usr/bin/chromium'
  say(`apt-get could not install it (${ending(code)}).`)
  return undefined
}

async function fromNpm() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  say(`Installing ${PACKAGE} ${PACKAGE_VERSION} from npm.`)
  await mkdir(CACHE, { recursive: true })
  await writeFile(join(CACHE, 'package.json'), '{}')
  const args = ['install', '--prefix', CACHE, '--no-audit', '--no-fund', '--no-save']
  const code = await run('npm', [...args, `${PACKAGE}@${PACKAGE_VERSION}`], DOWNLOAD_TIMEOUT_MS)
  if (code !== 0) throw new Error(`npm could not install ${PACKAGE} (${ending(code)})`)
  // Under its own name only when whole: half a file would be taken for a browser next time.
  await writeFile(`${BROWSER}.part`, await unpacked('chromium.br'))
  await chmod(`${BROWSER}.part`, 0o755)
  await rename(`${BROWSER}.part`, BROWSER)
  return (await starts(BROWSER)) ? BROWSER : withItsOwnLibraries()
}

/** Small systems lack libraries that every desktop has; the package brings them along. */
async function withItsOwnLibraries() {
  const archive = join(CACHE, 'libraries.tar')
  await writeFile(archive, await unpacked('al2023.tar.br'))
  const code = await run('tar', ['-xf', archive, '-C', CACHE], VERSION_TIMEOUT_MS)
  if (code !== 0) throw new Error(`the libraries of ${PACKAGE} could not be unpacked`)
  const lines = [
    '#!/bin/sh',
    `export LD_LIBRARY_PATH="${join(CACHE, 'lib')}"`,
    `exec "${BROWSER}" "$@"`,
  ]
  await writeFile(WITH_LIBRARIES, lines.join('\n') + '\n', { mode: 0o755 })
  return WITH_LIBRARIES
}

async function unpacked(name) {
  const packed = await readFile(join(CACHE, 'node_modules', PACKAGE, 'bin', name))
  return promisify(brotliDecompress)(packed)
}

async function starts(path) {
  if (!existsSync(path)) return false
  // Chrome on Windows has no --version; being there must do.
  if (process.platform === 'win32') return true
  return (await run(path, ['--version'], VERSION_TIMEOUT_MS, process.env, 'ignore')) === 0
}

/** Resolves to the exit code, or undefined when the time was up or the program is not there. */
function run(program, args, timeoutMs, env = process.env, output = 2) {
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const detached = process.platform !== 'win32'
    const options = { cwd: TOP, env, detached, stdio: ['ignore', output, output] }
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

function ending(code) {
  return code === undefined ? 'it did not run or took too long' : `exit code ${code}`
}

function say(line) {
  console.error(line)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(await findBrowser())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
