/** `zabra member`: a standalone server in the foreground, until SIGINT or SIGTERM. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { messageOf } from '../core/base/message-of.ts'
import { runServer } from './run-server.ts'
import { serverSettings, type ServerSettings } from './settings.ts'

const USAGE = `usage: zabra member --data-dir DIR [options]

  --data-dir DIR         snapshots and, unless told otherwise, logs; made if it is not there
  --data-log-dir DIR     logs, on a disk of their own
  --client-port N        default 2181; 0 takes any free one
  --client-address HOST  default every address of this machine
  --admin-port N         the admin server's, default 8080; 0 takes any free one
  --tick-time MS         default 2000
  --max-client-cnxns N   connections of one address, default 60, 0 = no limit

Says one line of JSON on its output when it serves: {sid, pid, clientPort, adminPort}.
A directory that Apache ZooKeeper wrote is taken over as it is.
`

type Settings = Partial<ServerSettings> & Pick<ServerSettings, 'dataDirectory'>

/** Resolves with the exit code when the server has ended. */
export async function runMember(args: readonly string[]): Promise<number> {
  let settings: Settings | null
  try {
    settings = parse(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}`)
    return 2
  }
  if (settings === null) {
    process.stdout.write(USAGE)
    return 0
  }
  return runServer(serverSettings(settings), {
    label: 'zabra member',
    portName: '--client-port',
    tellsSignal: false,
  })
}

/** null: help was asked for. Throws an Error that names what is wrong. */
function parse(args: readonly string[]): Settings | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      'data-dir': { type: 'string' },
      'data-log-dir': { type: 'string' },
      'client-port': { type: 'string' },
      'client-address': { type: 'string' },
      'admin-port': { type: 'string' },
      'tick-time': { type: 'string' },
      'max-client-cnxns': { type: 'string' },
    },
  })
  if (values.help === true) return null
  const dataDirectory = values['data-dir']
  if (dataDirectory === undefined) throw new Error('--data-dir is missing: name a directory')
  const logDirectory = values['data-log-dir']
  const clientAddress = values['client-address']
  return {
    dataDirectory,
    ...(logDirectory === undefined ? {} : { logDirectory }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
    ...number('clientPort', values, 'client-port', 0, 65_535),
    ...number('adminPort', values, 'admin-port', 0, 65_535),
    ...number('tickTimeMs', values, 'tick-time', 10, 60_000),
    ...number('connectionsPerAddressMax', values, 'max-client-cnxns', 0, 1_000_000),
  }
}

function number(
  key: keyof Settings,
  values: Readonly<Record<string, string | boolean | undefined>>,
  option: string,
  min: number,
  max: number,
): Partial<Settings> {
  const text = values[option]
  if (typeof text !== 'string') return {}
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Error(`--${option} ${text}: it is a whole number from ${min} to ${max}`)
  }
  return { [key]: value }
}
