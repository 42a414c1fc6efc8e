// Finds a Chromium for the browser tests, and gets one when this machine has none. In order: one
// named by environment, the system's, Playwright's own, one from a package.
// `node test/browser-binary.mjs` prints its path; progress goes to the error output.
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import {
  CACHE,
  DOWNLOAD_TIMEOUT_MS,
  ending,
  firstThatStarts,
  installWithApt,
  namedOne,
  ofTheSystem,
  print,
  run,
  say,
  starts,
  TOP,
  VERSION_TIMEOUT_MS,
} from './program.mjs'

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
  () => ofTheSystem(NAMES, USUAL_PLACES),
  ofPlaywright,
  unpackedBefore,
  downloadedByPlaywright,
  async () => ((await installWithApt('chromium')) ? '/usr/bin/chromium' : undefined),
  fromNpm,
]

/** Resolves to the path of a Chromium that starts; rejects when there is none to be had. */
export async function findBrowser() {
  const path = (await namedOne(['ZABRA_BROWSER', 'CHROMIUM'])) ?? (await firstThatStarts(WAYS))
  if (path !== undefined) return path
  throw new Error(
    'no Chromium found or installed; name one: ZABRA_BROWSER=/path/to/chrome npm test',
  )
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await print(findBrowser)
