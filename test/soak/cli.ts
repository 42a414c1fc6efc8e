/** `npm run soak`: random faults over real tabs, until the time is up or something is broken. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildPackageWhenChanged } from '../../demo/build-package.mjs'
import { recordingToText } from '../../src/history/recording.ts'
import { historyReport } from '../../src/history/report/history-report.ts'
import { findBrowser } from '../browser-binary.mjs'
import { readOptions, USAGE, type CliOptions } from './cli-options.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import { Soak, type SoakFailure } from './soak.ts'
import { partWords, seconds } from './totals.ts'

const MS_PER_MINUTE = 60_000
/** A terminal tells all its processes at once, and npm tells them again. */
const SAME_SIGNAL_MS = 1_000

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
    onPart: (told) => console.log(`${clock(Date.now() - begunMs)}  ${partWords(told)}`),
  })
  const failure = await run.run(begunMs + minutes * MS_PER_MINUTE)
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
  const { part, what, violations, recording, flights } = failure
  const { seed, tabs, browsers, sessions, folder } = options
  const command = `npm run soak -- --seed ${seed} --tabs ${tabs} --browsers ${browsers}`
  const facts = {
    seed: String(seed),
    part: String(part),
    'run again': `${command} --sessions ${sessions}`,
  }
  const home = join(folder, `seed-${seed}-part-${part}`)
  await mkdir(home, { recursive: true })
  await writeFile(
    join(home, 'history.html'),
    historyReport(recording, {
      ...{ violations, facts },
      ...(violations.length > 0 ? {} : { failed: what }),
    }),
  )
  await writeFile(join(home, 'history.json'), recordingToText(recording))
  for (const [name, flight] of flights) await writeFile(join(home, name), flight)
  console.log(`part ${part} FAILED: ${what}`)
  for (const { checker, what: broken } of violations.slice(0, 10)) {
    console.log(`  ${checker}: ${broken}`)
  }
  console.log(`  the history as a page: ${join(home, 'history.html')}`)
  console.log(`  what each machine heard, for npm run replay: ${flights.size} flights beside it`)
  console.log(`  the same faults again: ${facts['run again']}`)
}

function clock(ms: number): string {
  const all = Math.round(ms / 1000)
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, '0')}`.padStart(6)
}

process.exitCode = (await main()) ? 0 : 1
