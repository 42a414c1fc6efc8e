/**
 * Records real frames of Apache ZooKeeper into test/interop/frames/:
 *
 *     npm run record:frames [constants | standalone | ensemble | reconfig]...
 *
 * Needs java, javac and Debian's package `zookeeper` (3.8.0: apt-get install zookeeper
 * openjdk-17-jdk-headless). The tests need none of it: they read the recorded files.
 */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { compileClient, runClient, stopEverything } from './apache.ts'
import { FRAMES_DIRECTORY } from './frame-file.ts'
import { recordEnsemble, recordReconfig } from './record-ensemble.ts'
import { recordStandalone } from './record-standalone.ts'

const RECORDINGS: Readonly<Record<string, (directory: string, classes: string) => Promise<void>>> =
  {
    constants: recordConstants,
    standalone: recordStandalone,
    ensemble: recordEnsemble,
    reconfig: recordReconfig,
  }

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(RECORDINGS)
const directory = mkdtempSync(join(tmpdir(), 'zabra-record-'))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stopEverything().finally(() => process.exit(1))
  })
}
try {
  mkdirSync(FRAMES_DIRECTORY, { recursive: true })
  const classes = join(directory, 'classes')
  mkdirSync(classes)
  compileClient(classes)
  for (const name of wanted) {
    const record = RECORDINGS[name]
    if (record === undefined) throw new Error(`no recording ${name}`)
    const own = join(directory, name)
    mkdirSync(own)
    console.log(`recording ${name}`)
    await record(own, classes)
    await stopEverything()
  }
  execFileSync('npx', ['prettier', '--log-level', 'warn', '--write', FRAMES_DIRECTORY])
  rmSync(directory, { recursive: true })
} catch (error) {
  console.error(`failed; servers’ logs are in ${directory}`)
  throw error
} finally {
  await stopEverything()
}

/** The numbers and texts of Apache's classes, as codes.test.ts compares them. */
async function recordConstants(_directory: string, classes: string): Promise<void> {
  await runClient(classes, ['constants'], (line) => {
    const constants = JSON.parse(line) as unknown
    writeFileSync(`${FRAMES_DIRECTORY}constants.json`, `${JSON.stringify(constants, null, 1)}\n`)
  })
}
