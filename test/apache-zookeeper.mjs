// Finds Apache ZooKeeper for the tests that compare with it, and gets it when this machine has
// none: the system's (Debian's packages), else a package.
// `node test/apache-zookeeper.mjs` prints its path; progress goes to the error output.
import { existsSync } from 'node:fs'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { installWithApt, print, run, VERSION_TIMEOUT_MS } from './program.mjs'

const JAR = '/usr/share/java/zookeeper.jar'

/** Resolves to its jar; rejects when there is none to be had. */
export async function findApacheZooKeeper() {
  if (await isHere()) return JAR
  if ((await installWithApt('zookeeper')) && (await isHere())) return JAR
  throw new Error(
    'no Apache ZooKeeper to compare with: install it (Debian: apt-get install zookeeper)',
  )
}

async function isHere() {
  if (!existsSync(JAR)) return false
  const code = await run('java', ['-version'], VERSION_TIMEOUT_MS, { output: 'ignore' })
  return code === 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await print(findApacheZooKeeper)
