/** One server in the foreground, from its settings to its end by a signal. */
import process from 'node:process'
import { StorageError } from '../ports/storage.ts'
import { processLog } from './admin/process-log.ts'
import { NodeServer } from './node-server.ts'
import type { ServerSettings } from './settings.ts'
import { onStarterGone, tellStarter } from './starter.ts'

/** ZooKeeper's own exit codes, so that scripts around it keep their meaning. */
export const ExitCode = {
  FINISHED: 0,
  UNEXPECTED_ERROR: 1,
  INVALID_INVOCATION: 2,
  UNABLE_TO_ACCESS_DATADIR: 3,
} as const

export interface RunOptions {
  /** Stands before what is said of a failure. */
  readonly label: string
  /** Of the option or key to change when the client port is taken. */
  readonly portName: string
  /** 128 + its number, as a Java process ends; else 0. */
  readonly tellsSignal: boolean
  /** The text of the file that it was started with, if there is one. */
  readonly configuration?: string
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

/** Resolves with the exit code when the server has ended. */
export async function runServer(settings: ServerSettings, options: RunOptions): Promise<number> {
  const ended = new AbortController()
  let halted: string | null = null
  let signalled = 0
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      signalled = number
      ended.abort(`asked to end by ${signal}`)
    })
  }
  onStarterGone(() => ended.abort('whoever started it is gone'))
  try {
    await using server = await NodeServer.open(settings, {
      log: processLog(),
      ...(options.configuration === undefined ? {} : { configuration: options.configuration }),
      signal: ended.signal,
      onHalt: (reason) => {
        halted = reason
        ended.abort(reason)
      },
    })
    tellStarter('open')
    // It may never serve: what ends the wait is the end of the server.
    void server.serving.then(
      () => announce(server),
      () => undefined,
    )
    await aborted(ended.signal)
  } catch (error) {
    if (!ended.signal.aborted) {
      process.stderr.write(`${options.label}: ${messageOf(error, options.portName)}\n`)
      return exitCodeOf(error)
    }
  }
  if (halted !== null) {
    process.stderr.write(`${options.label}: ${String(halted)}\n`)
    return ExitCode.UNEXPECTED_ERROR
  }
  return options.tellsSignal && signalled > 0 ? 128 + signalled : ExitCode.FINISHED
}

function announce(server: NodeServer): void {
  const { clientPort } = server
  const line = {
    sid: server.status().sid,
    pid: process.pid,
    clientPort: clientPort === 0 ? null : clientPort,
    adminPort: server.administration.adminPort,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const DIRECTORY_FAULTS: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOSPC']

function exitCodeOf(error: unknown): number {
  const { code, syscall } = error as NodeJS.ErrnoException
  const isOfFiles = error instanceof StorageError || (syscall !== 'listen' && isFault(code))
  return isOfFiles ? ExitCode.UNABLE_TO_ACCESS_DATADIR : ExitCode.UNEXPECTED_ERROR
}

function isFault(code: string | undefined): boolean {
  return code !== undefined && DIRECTORY_FAULTS.includes(code)
}

function messageOf(error: unknown, portName: string): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall !== 'listen') return error.message
  if (code === 'EADDRINUSE') return `${error.message}: choose another ${portName}`
  if (code === 'EACCES') return `${error.message}: choose a ${portName} above 1023`
  return error.message
}
