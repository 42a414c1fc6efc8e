/**
 * `npm run replay -- FILE [--quiet] [--last N]`: runs the core again on a flight recording, checks
 * every step and prints what happened.
 */
import { parseArgs } from 'node:util'
import { FlightFormatError } from '../runtime/flight/flight-bytes.ts'
import { FlightTranscript } from './flight-words.ts'
import { flightTitle, loadFlight, verdictWords } from './load-flight.ts'
import { replayFlight } from './replay-flight.ts'

const USAGE = `usage: npm run replay -- FILE [--quiet] [--last N]

  FILE      a flight recording, as a machine's page hands it out
  --quiet   only the verdict
  --last N  only the last N lines of the transcript
`

const IS_DIFFERENT = 1
const IS_UNREADABLE = 2

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quiet: { type: 'boolean', default: false }, last: { type: 'string' } },
  })
  const [path] = positionals
  const last = Number(values.last ?? Number.POSITIVE_INFINITY)
  if (path === undefined || positionals.length > 1 || !(last >= 0)) {
    console.error(USAGE)
    return IS_UNREADABLE
  }
  try {
    const flight = await loadFlight(path)
    console.log(flightTitle(flight))
    const transcript = new FlightTranscript(flight.config.sid, flight.startedAt)
    const kept: string[] = []
    const result = replayFlight(flight, (step) => {
      if (values.quiet) return
      const lines = transcript.lines(step)
      if (last === Number.POSITIVE_INFINITY) for (const line of lines) console.log(line)
      else kept.push(...lines)
      if (kept.length > 2 * last) kept.splice(0, kept.length - last)
    })
    if (last > 0) for (const line of kept.slice(-last)) console.log(line)
    console.log(verdictWords(result))
    return result.kind === 'different' ? IS_DIFFERENT : 0
  } catch (error) {
    if (error instanceof FlightFormatError) console.error(error.message)
    else console.error(error instanceof Error && 'code' in error ? error.message : error)
    return IS_UNREADABLE
  }
}

process.exitCode = await main()
