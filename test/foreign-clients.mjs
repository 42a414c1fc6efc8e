// Finds the clients that others wrote for ZooKeeper, for the tests that point them at our servers,
// and gets those that this machine has not: kazoo, the C client, Curator, and javac for the Java
// ones. node-zookeeper-client comes with our own packages, zkCli.sh with Apache ZooKeeper.
// `node test/foreign-clients.mjs` prints the Python that has kazoo.
import { existsSync } from 'node:fs'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { installWithApt, print, run, VERSION_TIMEOUT_MS } from './program.mjs'

const PYTHON = '/usr/bin/python3'
/** By Debian's package: whether it is here. */
const PARTS = {
  'python3-kazoo': () => works(PYTHON, '-c', 'import kazoo'),
  'zookeeper-bin': () => existsSync('/usr/lib/zookeeper/bin/cli_mt'),
  'libcurator-recipes-java': () => existsSync('/usr/share/java/curator-recipes.jar'),
  'default-jdk-headless': () => works('javac', '-version'),
}

/** Resolves to the Python that has kazoo when all are here; rejects when some cannot be had. */
export async function findForeignClients() {
  const missing = await missingParts()
  if (missing.length > 0) await installWithApt(...missing)
  const stillMissing = missing.length > 0 ? await missingParts() : []
  if (stillMissing.length === 0) return PYTHON
  const names = stillMissing.join(' ')
  throw new Error(
    `clients to test with are missing: install them (Debian: apt-get install ${names})`,
  )
}

async function missingParts() {
  const found = await Promise.all(Object.values(PARTS).map((isHere) => isHere()))
  return Object.keys(PARTS).filter((_name, index) => !found[index])
}

async function works(program, ...args) {
  return (await run(program, args, VERSION_TIMEOUT_MS, { output: 'ignore' })) === 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await print(findForeignClients)
