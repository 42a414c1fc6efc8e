/**
 * A real TURN server (RFC 5766, UDP) on the loopback interface. node-turn is pure JavaScript, so
 * `npm test` brings it along; it is old and for tests only.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { IceSettings } from '../../src/adapters/webrtc/ice-settings.ts'

interface TurnOptions {
  readonly listeningPort: number
  readonly listeningIps: readonly string[]
  readonly relayIps: readonly string[]
  readonly minPort: number
  readonly maxPort: number
  readonly authMech: 'long-term'
  readonly credentials: Readonly<Record<string, string>>
  readonly debugLevel: 'OFF'
}

interface Turn {
  start(): void
  stop(): void
}

/** CommonJS without types. */
const TurnConstructor = createRequire(import.meta.url)('node-turn') as new (
  options: TurnOptions,
) => Turn

const HOST = '127.0.0.1'
const USERNAME = 'zebra'
const PASSWORD = 'stripes'

export class TurnServer {
  readonly #server: Turn
  readonly url: string

  private constructor(port: number) {
    this.url = `turn:${HOST}:${port}`
    this.#server = new TurnConstructor({
      listeningPort: port,
      listeningIps: [HOST],
      relayIps: [HOST],
      // Below the system's own range for clients on Linux (32768 and up).
      minPort: 20_000,
      maxPort: 30_000,
      authMech: 'long-term',
      credentials: { [USERNAME]: PASSWORD },
      debugLevel: 'OFF',
    })
    this.#server.start()
  }

  static async start(): Promise<TurnServer> {
    return new TurnServer(await freeUdpPort())
  }

  /** Everything through this server, so a direct way cannot help out. */
  settings(password: string = PASSWORD): IceSettings {
    return {
      iceServers: [{ urls: [this.url], username: USERNAME, credential: password }],
      iceTransportPolicy: 'relay',
    }
  }

  stop(): void {
    this.#server.stop()
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, HOST)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}
