/** `zabra server`: ZooKeeper's own way in, a zoo.cfg and what zkServer.sh does with it. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { processLog } from './admin/process-log.ts'
import { ConfigError } from './config/config-error.ts'
import { jvmFlags, loadZooCfg, takeProperties } from './config/load-config.ts'
import { settingTable } from './config/setting-table.ts'
import type { ZooCfg } from './config/zoo-cfg.ts'
import { ExitCode, runServer } from './run-server.ts'
import { cleanUpDirectories, initializeDirectories } from './server-directories.ts'
import { restart, start, status, stop, type ServerInvocation } from './server-control.ts'
import { tellStarter } from './starter.ts'

const USAGE = `usage: zabra server [ACTION] zoo.cfg [-Dzookeeper.KEY=VALUE…]

  zabra server zoo.cfg          in the foreground, until SIGTERM; start-foreground is the same
  zabra server start zoo.cfg    in the background; its process id goes to
                                dataDir/zookeeper_server.pid or to ZOOPIDFILE, what it says to
                                zabra-server.out in ZOO_LOG_DIR or dataDir
  zabra server stop zoo.cfg     SIGTERM, and waits for the end
  zabra server status zoo.cfg   asks it for its mode by the word srvr

  zabra server initialize zoo.cfg [--myid N] [--force]
                                lets it begin with an empty database; --force removes the old one
  zabra server cleanup zoo.cfg [-n COUNT]
                                all but the newest snapshots go, 3 unless told otherwise, and logs
                                that none of them needs

  zabra server keys             every key, what it may be, and its default; and the keys of
                                ZooKeeper that mean nothing here, with the reason

Further actions: restart, print-cmd.

Keys, and members of an ensemble, are ZooKeeper's; SERVER_JVMFLAGS and JVMFLAGS are looked through
for -D options too. When it serves it says one line of JSON: {sid, pid, clientPort, adminPort}.
Exit codes: 2 for a wrong configuration, 3 for a folder that cannot be used, 143 after SIGTERM.
`

const ACTIONS = {
  start,
  stop,
  restart,
  status,
  'start-foreground': foreground,
  'print-cmd': printCommand,
} as const

/** Resolves with the exit code. */
export async function runServerCommand(args: readonly string[]): Promise<number> {
  const own = takeProperties(args)
  const [first = '', ...others] = own.rest
  if (first === 'help' || first === '--help' || first === '-h') {
    process.stdout.write(USAGE)
    return ExitCode.FINISHED
  }
  if (first === 'keys' && others.length === 0) {
    process.stdout.write(settingTable())
    return ExitCode.FINISHED
  }
  if (first === 'initialize') return initializeDirectories(others)
  if (first === 'cleanup') return cleanUpDirectories(others)
  const isAction = Object.hasOwn(ACTIONS, first)
  const action = isAction ? ACTIONS[first as keyof typeof ACTIONS] : foreground
  const [path, ...tooMany] = isAction ? others : own.rest
  if (path === undefined || tooMany.length > 0 || path.startsWith('-')) {
    process.stderr.write(USAGE)
    return ExitCode.INVALID_INVOCATION
  }
  const inherited = takeProperties(jvmFlags(process.env)).properties
  const properties = new Map([...inherited, ...own.properties])
  let cfg: ZooCfg
  try {
    cfg = loadZooCfg(path, properties)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`zabra server: ${error.message}\n`)
    return ExitCode.INVALID_INVOCATION
  }
  const flags = args.filter((word) => word.startsWith('-D'))
  return action({ path, cfg, words: [path, ...flags] })
}

async function foreground({ path, cfg }: ServerInvocation): Promise<number> {
  const log = processLog()
  for (const problem of cfg.warnings) log.warn('configuration', { problem })
  tellStarter('configured')
  return runServer(cfg.settings, {
    label: 'zabra server',
    portName: 'port',
    tellsSignal: true,
    configuration: readFileSync(path, 'utf8'),
  })
}

async function printCommand({ words }: ServerInvocation): Promise<number> {
  const command = [process.execPath, ...process.execArgv, process.argv[1] ?? '', 'server', ...words]
  process.stdout.write(`${command.map((word) => `"${word}"`).join(' ')}\n`)
  return ExitCode.FINISHED
}
