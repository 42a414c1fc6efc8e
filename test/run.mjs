// `npm test`: everything that can be checked, in one go. Each step adds to two numbers, and the
// last line is `N passed, N failed`. What could not run, or was skipped, counts as failed.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { installWhatIsMissing, requireNode, TOP } from '../demo/install.mjs'
import { findApacheZooKeeper } from './apache-zookeeper.mjs'
import { findBrowser } from './browser-binary.mjs'
import { findFirefox } from './firefox-binary.mjs'
import { findForeignClients } from './foreign-clients.mjs'

const MINUTE_MS = 60_000
/** All steps together, so that who waits gets an answer; the steps' own limits sum up to more. */
const TOTAL_TIMEOUT_MS = 24.5 * MINUTE_MS

const SIM_SEEDS = 1_000
/** Of them, on the one core; the other core has the differential test as well. */
const FIRST_SEEDS = 580
const PLANTED_SEEDS = 200
/** Of 250 operations each. */
const DIFFERENTIAL_SEEDS = 40

const started = Date.now()
const reports = await mkdtemp(join(tmpdir(), 'zabra-test-'))
const children = new Set()
const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, CI: '1' }
const total = { passed: 0, failed: 0 }
const failures = []

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of children) killGroup(child)
    process.exit(1)
  })
}

requireNode()
await prepare()
// Two chains at a time, about as long as each other: no core waits for the other one.
await Promise.all([
  inOrder(
    () => step('lint', 2, npmRun('lint'), countExit),
    () => step('format', 2, npmRun('format:check'), countExit),
  ),
  inOrder(
    () => step('typecheck', 2, npmRun('typecheck'), countExit),
    () => step('planted bugs', 6, npmRun('sim', '--planted', '--seeds', PLANTED_SEEDS), countLine),
    () => step('build', 3, npmRun('build'), countExit),
  ),
])
await step('unit', 8, npx('vitest', 'run', ...vitestReport()), countVitest)
// What a seed does depends on nothing but the seed.
await Promise.all([
  step('simulator 1', 8, npmRun('sim', '--seed', 1, '--seeds', FIRST_SEEDS), countLine),
  inOrder(
    () => step('simulator 2', 8, npmRun('sim', ...theOtherSeeds()), countLine),
    () => step('differential', 5, npmRun('differential', '--seeds', DIFFERENTIAL_SEEDS), countLine),
  ),
])
for (const project of ['together', 'alone']) {
  const count = (outcome) => countPlaywright(outcome, `${project}.json`)
  await step(`browsers ${project}`, 15, npx('playwright', ...playwright(project)), count)
}
await finish()

async function inOrder(...steps) {
  for (const one of steps) await one()
}

function theOtherSeeds() {
  return ['--seed', FIRST_SEEDS + 1, '--seeds', SIM_SEEDS - FIRST_SEEDS]
}

async function prepare() {
  try {
    await installWhatIsMissing()
  } catch (error) {
    add('install', { passed: 0, failed: 1, failures: [error.message] })
    await finish()
  }
  await findProgram('Browser', 'ZABRA_BROWSER', findBrowser)
  await findProgram('Firefox', 'ZABRA_FIREFOX', findFirefox)
  await findProgram('Apache ZooKeeper', 'ZABRA_APACHE', findApacheZooKeeper)
  await findProgram('Clients by others', 'ZABRA_KAZOO', findForeignClients)
}

async function findProgram(name, variable, find) {
  try {
    env[variable] = await find()
    console.log(`${name}: ${env[variable]}`)
  } catch (error) {
    // The tests that need it then fail each for itself; this line says why.
    add(name, { passed: 0, failed: 1, failures: [error.message] })
  }
}

/** Runs one command and adds what `count` makes of its outcome. */
async function step(name, limitMinutes, command, count) {
  const remainingMs = started + TOTAL_TIMEOUT_MS - Date.now()
  const limitMs = Math.min(limitMinutes * MINUTE_MS, remainingMs)
  if (limitMs <= 0) return add(name, failed('not run: the time for all tests was used up'))
  console.log(`\n== ${name}: ${command.join(' ')}`)
  const begun = Date.now()
  const outcome = await run(command, limitMs)
  const counted = await count(outcome).catch((error) => failed(error.message))
  if (outcome.timedOut) {
    counted.failed += 1
    counted.failures.push(`stopped after ${Math.round(limitMs / 1_000)} s`)
  } else if (outcome.code !== 0 && counted.failed === 0) {
    counted.failed = 1
    counted.failures.push(`exit code ${outcome.code} although nothing is counted as failed`)
  }
  add(name, counted)
  const seconds = ((Date.now() - begun) / 1_000).toFixed(1)
  console.log(`== ${name}: ${counted.passed} passed, ${counted.failed} failed in ${seconds} s`)
}

function add(name, counted) {
  total.passed += counted.passed
  total.failed += counted.failed
  failures.push(...counted.failures.map((text) => `${name}: ${text}`))
}

async function finish() {
  await rm(reports, { recursive: true, force: true })
  if (failures.length > 0)
    console.log(`\nFailed:\n${failures.map((text) => `  ${text}`).join('\n')}`)
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
  process.exit(total.failed === 0 ? 0 : 1)
}

/** Streams the output through and keeps it for counting. */
function run([program, ...args], limitMs) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'inherit']
    const detached = process.platform !== 'win32'
    const child = spawn(program, args, { cwd: TOP, env, stdio, detached, shell: !detached })
    children.add(child)
    let output = ''
    let timedOut = false
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk)
      output += chunk
    })
    const timer = setTimeout(() => {
      timedOut = true
      killGroup(child)
    }, limitMs)
    child.on('error', (error) => {
      output += error.message
    })
    // What a step left running must not disturb the next one, nor hold its output open.
    child.on('exit', () => killGroup(child))
    child.on('close', (code) => {
      clearTimeout(timer)
      children.delete(child)
      resolve({ code: code ?? 1, output, timedOut })
    })
  })
}

function killGroup(child) {
  try {
    if (process.platform === 'win32') child.kill()
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended already, which is what was wanted.
  }
}

function npmRun(script, ...args) {
  return ['npm', 'run', '--silent', script, ...(args.length > 0 ? ['--', ...args.map(String)] : [])]
}

function npx(...args) {
  return ['npx', '--no-install', ...args]
}

function vitestReport() {
  return [
    // Both cores: by itself it leaves one free.
    '--maxWorkers=100%',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${join(reports, 'unit.json')}`,
  ]
}

function playwright(project) {
  env.PLAYWRIGHT_JSON_OUTPUT_FILE = join(reports, `${project}.json`)
  const config = ['--config', 'test/browser/playwright.config.ts', '--reporter=list,json']
  // Each leaves the other's attachments be.
  return ['test', ...config, '--project', project, '--output', `test-results/${project}`]
}

function failed(...texts) {
  return { passed: 0, failed: texts.length, failures: texts }
}

async function countExit({ code }) {
  return code === 0 ? { passed: 1, failed: 0, failures: [] } : failed(`exit code ${code}`)
}

/** The simulator ends its output with the same line as we do. */
async function countLine({ code, output }) {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  const found = /^(\d+) passed, (\d+) failed$/.exec(line)
  if (found === null) return failed(`exit code ${code}, and no last line 'N passed, N failed'`)
  const counted = { passed: Number(found[1]), failed: Number(found[2]), failures: [] }
  if (counted.failed > 0)
    counted.failures.push(`${counted.failed}; what and how to replay is above`)
  return counted
}

async function countVitest({ code }) {
  const report = await reportOf('unit.json')
  if (report === undefined) return failed(`exit code ${code} and no report`)
  const counted = { passed: 0, failed: 0, failures: [] }
  const fail = (text) => {
    counted.failed += 1
    counted.failures.push(text)
  }
  for (const file of report.testResults) {
    const name = file.name.replace(TOP, '')
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counted.passed += 1
      else fail(`${name}: ${test.fullName} (${test.status})`)
    }
    // A file that does not load has no tests to count.
    if (file.assertionResults.length === 0) fail(`${name}: ${firstLine(file.message)}`)
  }
  return counted
}

async function countPlaywright({ code }, file) {
  const report = await reportOf(file)
  if (report === undefined) return failed(`exit code ${code} and no report`)
  const counted = { passed: 0, failed: 0, failures: [] }
  for (const error of report.errors) counted.failures.push(firstLine(error.message))
  counted.failed += report.errors.length
  for (const { title, file, status, machines } of testsIn(report.suites)) {
    if (status === 'expected') counted.passed += 1
    else {
      // Attachments stay where the tests ran, which may be a machine that nobody can look into.
      for (const path of machines) {
        const lines = await readFile(path, 'utf8').catch((error) => error.message)
        console.log(`\nThe machines of "${title}", seconds before its end:\n${lines}`)
      }
      // Flaky counts too: a test that passes at the second try proves little about a protocol.
      counted.failed += 1
      counted.failures.push(`${file}: ${title} (${status})`)
    }
  }
  if (counted.passed + counted.failed === 0) return failed('no browser tests were found')
  return counted
}

/** A tool that did not come so far as to report has said why on its output. */
async function reportOf(name) {
  const text = await readFile(join(reports, name), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text)
}

function testsIn(suites) {
  return suites.flatMap((suite) => [
    ...suite.specs.flatMap(({ title, file, tests }) =>
      tests.map(({ status, results }) => ({ title, file, status, machines: machinesOf(results) })),
    ),
    ...testsIn(suite.suites ?? []),
  ])
}

function machinesOf(results) {
  const attached = results.flatMap(({ attachments }) => attachments)
  return attached.filter(({ name }) => name === 'machines.txt').map(({ path }) => path)
}

function firstLine(text) {
  return String(text ?? '').split('\n')[0]
}
