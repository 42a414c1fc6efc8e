/** `zabra join`: a machine of a room of tabs in the foreground, until SIGINT or SIGTERM. */
import process from 'node:process'
import { WebSocket as NodeWebSocket } from 'ws'
import { socketOpener } from '../../adapters/websocket/signal-socket.ts'
import { RoomError } from '../../browser/room-error.ts'
import type { OpenSocket } from '../../ports/signaling.ts'
import { StorageError } from '../../ports/storage.ts'
import { brokerAddress } from './asked-room.ts'
import { askedIce, iceOfPage } from './ice-of-page.ts'
import { JoinError } from './join-error.ts'
import { JOIN_USAGE, parseJoin, type JoinSettings } from './join-options.ts'
import { JoinReport } from './join-report.ts'
import { openMachineHome } from './machine-home.ts'
import { loadNodeWebRtc, usableIce } from './node-webrtc.ts'
import { RoomServer } from './room-server.ts'

const openSocket: OpenSocket = socketOpener((url) => new NodeWebSocket(url) as unknown as WebSocket)

/**
 * All of ours is closed, told and on disk by then; connections of the WebRTC library to peers that
 * do not answer may hold the process for seconds more. Ours.
 */
const NATIVE_EXIT_LIMIT_MS = 200

/** Resolves with the exit code when the machine has ended. */
export async function runJoin(args: readonly string[]): Promise<number> {
  let settings: JoinSettings | null
  try {
    settings = parseJoin(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${JOIN_USAGE}`)
    return 2
  }
  if (settings === null) {
    process.stdout.write(JOIN_USAGE)
    return 0
  }
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => ended.abort())
  }
  try {
    const failure = await serve(settings, ended.signal)
    if (failure === null) return 0
    process.stderr.write(`zabra join: ${failure}\n`)
  } catch (error) {
    process.stderr.write(`zabra join: ${messageOf(error)}\n`)
  }
  return 1
}

/** Resolves when it is asked to end: null, or why it ended by itself. */
async function serve(settings: JoinSettings, signal: AbortSignal): Promise<string | null> {
  const webRtc = await loadNodeWebRtc()
  await using home = await openMachineHome({
    dataDirectory: settings.server.dataDirectory,
    asked: settings.asked,
  })
  const report = new JoinReport({
    home,
    broker: brokerAddress(home.room),
    isNewRoom: settings.asked.kind === 'new',
    onLine: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
    onText: (text) => process.stderr.write(`zabra join: ${text}\n`),
  })
  const ice = usableIce(
    settings.ice === null ? await iceOfPage(home.room.address) : await askedIce(settings.ice),
  )
  for (const url of ice.unusable) report.say(`${url} is not used: on Node STUN and TURN go by UDP`)
  {
    await using server = await RoomServer.open({
      settings: settings.server,
      ...{ home, webRtc, openSocket },
      ice: ice.settings,
      onStatus: (status) => report.onStatus(status),
      onSignaling: (state) => report.onSignaling(state),
    })
    report.ports = { clientPort: server.clientPort, adminPort: server.administration.adminPort }
    await Promise.race([report.failed, aborted(signal)])
  }
  webRtc.release()
  setTimeout(() => process.exit(), NATIVE_EXIT_LIMIT_MS).unref()
  return report.failure
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isSentence =
    error instanceof JoinError || error instanceof RoomError || error instanceof StorageError
  const { code } = error as NodeJS.ErrnoException
  if (!isSentence && code === 'EADDRINUSE') return `${error.message}: choose another --client-port`
  return error.message
}
