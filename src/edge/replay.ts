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

interface Order {
  readonly path: string
  readonly isQuiet: boolean
  readonly last: number
}

/** Null when it cannot be understood. */
function orderOf(args: readonly string[]): Order | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { quiet: { type: 'boolean', default: false }, last: { type: 'string' } },
    })
    const [path] = positionals
    const last = Number(values.last ?? Number.POSITIVE_INFINITY)
    if (path === undefined || positionals.length > 1 || !(last >= 0)) return null
    return { path, isQuiet: values.quiet, last }
  } catch {
    return null
  }
}

async function main(): Promise<number> {
  const order = orderOf(process.argv.slice(2))
  if (order === null) {
    console.error(USAGE)
    return IS_UNREADABLE
  }
  const { path, isQuiet, last } = order
  try {
    const flight = await loadFlight(path)
    console.log(flightTitle(flight))
    const transcript = new FlightTranscript(flight.config.sid, flight.startedAt)
    const kept: string[] = []
    const result = replayFlight(flight, (step) => {
      if (isQuiet) return
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
