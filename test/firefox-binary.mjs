// Finds a Firefox for the browser tests, and gets one when this machine has none. In order: one
// named by environment, the system's, one from a package. It is driven as it is, by WebDriver BiDi.
// `node test/firefox-binary.mjs` prints its path; progress goes to the error output.
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
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
} from './program.mjs'

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

/** What is here already, then what takes a download. */
const WAYS = [
  () => ofTheSystem(NAMES, USUAL_PLACES),
  async () => UNPACKED_BINARY,
  async () => ((await installWithApt('firefox-esr')) ? '/usr/bin/firefox-esr' : undefined),
  unpackedFromDebian,
]

/** Resolves to the path of a Firefox that starts; rejects when there is none to be had. */
export async function findFirefox() {
  const path = (await namedOne(['ZABRA_FIREFOX', 'FIREFOX'])) ?? (await firstThatStarts(WAYS))
  if (path !== undefined) return path
  throw new Error(
    'no Firefox found or installed; install one (Debian: apt-get install firefox-esr) or name ' +
      'one: ZABRA_FIREFOX=/path/to/firefox npm test',
  )
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
