/** `npm run soak`: random faults over real tabs, until the time is up or something is broken. */
import { basename, join } from 'node:path'
import { buildPackageWhenChanged } from '../../demo/build-package.mjs'
import { findBrowser } from '../browser-binary.mjs'
import { readOptions, USAGE, type CliOptions } from './cli-options.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import { writeFailure } from './failure-files.ts'
import { Soak, type SoakFailure } from './soak.ts'
import { partWords, seconds } from './totals.ts'

const MS_PER_MINUTE = 60_000
/** A terminal tells all its processes at once, and npm tells them again. */
const SAME_SIGNAL_MS = 1_000
/** Of violations; more of them say the same. */
const SHOWN_MAX = 10

async function main(): Promise<boolean> {
  const options = readOptions(process.argv.slice(2))
  if (typeof options === 'string') {
    const isAsked = options === USAGE
    console.log(isAsked ? USAGE : `${options}\n${USAGE}`)
    return isAsked
  }
  const unknown = options.only?.find((kind) => !(kind in FAULT_KINDS))
  if (unknown !== undefined) {
    console.log(`no fault ${unknown}; there are ${Object.keys(FAULT_KINDS).join(', ')}`)
    return false
  }
  process.env['ZABRA_BROWSER'] ??= await findBrowser()
  await buildPackageWhenChanged()
  return soak(options)
}

async function soak(options: CliOptions): Promise<boolean> {
  const { minutes, seed, tabs, browsers, sessions } = options
  const begunMs = Date.now()
  console.log(`seed ${seed}: ${tabs} tabs in ${browsers} browsers, ${sessions} clients at a time`)
  const run = new Soak({
    ...options,
    signal: untilInterrupted(),
    onFault: (what) => {
      if (options.isTrace) console.log(`${clock(Date.now() - begunMs)}    ${what}`)
    },
    onPart: (told) => console.log(`${clock(Date.now() - begunMs)}  ${partWords(told)}`),
  })
  const failure = await run.run({ untilMs: begunMs + minutes * MS_PER_MINUTE })
  if (failure !== null) await explain(failure, options)
  console.log(`seed ${seed}, ${seconds(Date.now() - begunMs)}: ${run.totals.words}`)
  console.log(failure === null ? 'every promise was kept' : 'FAILED')
  return failure === null
}

/** The first one ends it with the judgement so far, the next one at once. */
function untilInterrupted(): AbortSignal {
  const end = new AbortController()
  let firstMs = 0
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (firstMs === 0) {
        firstMs = Date.now()
        console.log('heals and judges what there is; once more ends it at once')
        end.abort()
      } else if (Date.now() - firstMs > SAME_SIGNAL_MS) process.exit(1)
    })
  }
  return end.signal
}

async function explain(failure: SoakFailure, options: CliOptions): Promise<void> {
  const { part, what, violations } = failure
  const { seed, tabs, browsers, sessions, folder } = options
  const command = `npm run soak -- --seed ${seed} --tabs ${tabs} --browsers ${browsers}`
  const again = `${command} --sessions ${sessions}`
  const home = join(folder, `seed-${seed}-part-${part}`)
  const facts = { seed: String(seed), 'the same faults again': again }
  const [page = '', ...others] = await writeFailure(failure, home, facts)
  console.log(`part ${part} FAILED: ${what}`)
  for (const { checker, what: broken } of violations.slice(0, SHOWN_MAX)) {
    console.log(`  ${checker}: ${broken}`)
  }
  console.log(`  the history as a page: ${page}`)
  const beside = others.map((one) => basename(one))
  console.log(`  beside it, flights for npm run replay: ${beside.join(', ')}`)
  console.log(`  the same faults again: ${again}`)
}

function clock(ms: number): string {
  const all = Math.round(ms / 1000)
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, '0')}`.padStart(6)
}

process.exitCode = (await main()) ? 0 : 1
