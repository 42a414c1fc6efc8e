/** What the machines of a room did and what was done to them, line by line: why a test failed. */
import type { Recording } from '../history/recording.ts'
import type { Trace } from './page/page-news.ts'

/** The newest ones. Ours: a room in trouble has some fifty in a minute. */
const LINES_MAX = 200

interface TracedMachine {
  readonly number: number
  readonly traces: readonly Trace[]
}

interface Line {
  readonly atMs: number
  readonly text: string
}

/** Oldest first, each with how long before `nowMs` it was (ms since 1970). */
export function machineLines(
  { events, faults }: Pick<Recording, 'events' | 'faults'>,
  machines: readonly TracedMachine[],
  nowMs: number,
): string {
  const lines = [...ofMachines(machines), ...ofClients(events), ...ofFaults(faults)]
  lines.sort((a, b) => a.atMs - b.atMs)
  return lines
    .slice(-LINES_MAX)
    .map(({ atMs, text }) => `${((atMs - nowMs) / 1_000).toFixed(3).padStart(9)} s  ${text}\n`)
    .join('')
}

function* ofMachines(machines: readonly TracedMachine[]): Iterable<Line> {
  for (const { number, traces } of machines) {
    for (const trace of traces) {
      const did = didOf(trace)
      if (did !== null) yield { atMs: trace.at, text: `machine ${number} ${did}` }
    }
  }
}

function* ofClients(events: Recording['events']): Iterable<Line> {
  const servers = new Map<number, number>()
  for (const event of events) {
    const { client, atMs } = event
    if (event.kind === 'connected') servers.set(client, event.server)
    if (event.kind !== 'disconnected') continue
    const of = `client ${client} of machine ${servers.get(client) ?? '?'}`
    yield { atMs, text: `${of} lost its connection: ${event.reason}` }
  }
}

function* ofFaults(faults: Recording['faults']): Iterable<Line> {
  for (const { atMs, untilMs, what, sids } of faults) {
    const whom = `machine ${sids.join(' and ')}`
    yield { atMs, text: `— ${whom}: ${what}` }
    if (untilMs !== undefined) yield { atMs: untilMs, text: `— ${whom}: no longer ${what}` }
  }
}

/** null: tells nothing of who leads whom, or of why somebody cannot. */
function didOf(trace: Trace): string | null {
  switch (trace.type) {
    case 'role':
      return `is ${trace.role}, epoch ${trace.epoch}: ${trace.reason}`
    case 'established':
      return `has begun epoch ${trace.epoch} of machine ${trace.leader}`
    case 'sync':
      return trace.direction === 'out'
        ? null
        : `gets ${trace.mode} from machine ${trace.peer}: ${trace.from} to ${trace.to}`
    case 'link':
      return `${trace.up ? 'has' : 'lost'} its link to machine ${trace.peer}: ${trace.reason}`
    case 'slept':
      return `stood still for ${trace.elapsedMs} ms`
    case 'protocol-error':
      return `had a protocol error with machine ${trace.peer}: ${trace.what}`
    case 'diverged':
      return `has another tree at ${trace.zxid}: ${trace.what}`
    case 'session-expired':
      return `expired session ${trace.session}`
    default:
      return null
  }
}
