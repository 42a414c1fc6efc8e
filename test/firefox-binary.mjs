// Finds a Firefox for the browser tests, and gets one when this machine has none. In order: one
// named by environment, the system's, one from a package. It is driven as it is, by WebDriver BiDi.
// `node test/firefox-binary.mjs` prints its path; progress goes to the error output.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
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
  VERSION_TIMEOUT_MS,
} from './program.mjs'

/** 140 does not know what Playwright 1.65 asks for; 153 does, and between them none was tried. */
const OLDEST = 141
const NAMES = ['firefox-esr', 'firefox']
const USUAL_PLACES = [
  ...NAMES.map((name) => `/usr/bin/${name}`),
  '/usr/lib/firefox-esr/firefox-esr',
  '/usr/lib/firefox/firefox',
  '/snap/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
]
const UNPACKED = join(CACHE, 'firefox-esr')
const UNPACKED_BINARY = join(UNPACKED, 'usr', 'lib', 'firefox-esr', 'firefox-esr')

/** What is here already, then what takes a download, which may also replace one that is too old. */
const WAYS = [
  () => ofTheSystem(NAMES, USUAL_PLACES),
  async () => UNPACKED_BINARY,
  async () => ((await installWithApt('firefox-esr')) ? '/usr/bin/firefox-esr' : undefined),
  unpackedFromDebian,
].map((find) => async () => newEnough(await find()))

/** Resolves to the path of a Firefox that starts; rejects when there is none to be had. */
export async function findFirefox() {
  const named = await namedOne(['ZABRA_FIREFOX', 'FIREFOX'])
  const path = named === undefined ? await firstThatStarts(WAYS) : await newEnough(named)
  if (path !== undefined) return path
  throw new Error(
    `no Firefox ${OLDEST} or newer found or installed; install one (Debian: apt-get update && ` +
      'apt-get install firefox-esr) or name one: ZABRA_FIREFOX=/path/to/firefox npm test',
  )
}

async function newEnough(path) {
  // Those on Windows tell no version; being there must do.
  if (path === undefined || !existsSync(path) || process.platform === 'win32') return path
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS })
  const version = Number(/ (\d+)\./.exec(stdout)?.[1])
  if (version >= OLDEST) return path
  say(`${path} is too old: ${stdout.trim()}, and ${OLDEST} is needed.`)
  return undefined
}

/** Who is not root may still download a package and look into it; its libraries must be here. */
async function unpackedFromDebian() {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) return undefined
  say('Downloading the package firefox-esr with apt-get.')
  await mkdir(UNPACKED, { recursive: true })
  const options = { cwd: UNPACKED }
  const args = ['download', '-q', 'firefox-esr']
  const code = await run('apt-get', args, DOWNLOAD_TIMEOUT_MS, options)
  const file = (await readdir(UNPACKED)).find((name) => name.endsWith('.deb'))
  if (code !== 0 || file === undefined) {
    say(`apt-get could not download it (${ending(code)}).`)
    return undefined
  }
  await run('dpkg-deb', ['-x', file, '.'], DOWNLOAD_TIMEOUT_MS, options)
  await rm(join(UNPACKED, file))
  return UNPACKED_BINARY
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await print(findFirefox)
