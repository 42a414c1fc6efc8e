/** The `zabra` command: its first word says what it does. */
import process from 'node:process'
import { runCli } from './cli-command.ts'
import { runEnsemble } from './ensemble-command.ts'
import { runMember } from './member-command.ts'
import { endWithNpm } from './npm-parent.ts'
import { runServerCommand } from './server-command.ts'
import { runLog } from './tools/log-command.ts'
import { runSnapshot } from './tools/snapshot-command.ts'

const USAGE = `usage: zabra COMMAND [options]

  zabra member --data-dir DIR [--client-port N]   a standalone server
  zabra server zoo.cfg [-Dzookeeper.KEY=VALUE…]   what a zoo.cfg says; also start, stop, status
  zabra join LINK --data-dir DIR [--client-port N]
                                                  a machine of a room of browser tabs
  zabra ensemble --data-dir DIR [--size N]        an ensemble of processes of this machine
  zabra cli [-server HOST:PORT[,HOST:PORT][/CHROOT]] [COMMAND…]
                                                  ZooKeeper's command line
  zabra log [--dump | --verify | --fix] DIR       looks at a transaction log, and mends it
  zabra snapshot [--data | --json] FILE           shows a snapshot

zabra COMMAND --help says more.
`

/** Resolves with the exit code. */
async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'member':
      return runMember(args)
    case 'server':
      return runServerCommand(args)
    case 'join':
      // Loaded when it is asked for: it brings what only pages need else.
      return (await import('./join/join-command.ts')).runJoin(args)
    case 'ensemble':
      return runEnsemble(args)
    case 'cli':
      return runCli(args)
    case 'log':
      return runLog(args)
    case 'snapshot':
      return runSnapshot(args)
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE)
      return 0
    default:
      process.stderr.write(command === undefined ? USAGE : `no command '${command}'\n\n${USAGE}`)
      return 2
  }
}

// Whoever reads our output may stop reading: `zabra cli ls / | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
// A member of an ensemble ends in order when whoever reads its log is gone.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
endWithNpm()
process.exitCode = await main(process.argv.slice(2))
