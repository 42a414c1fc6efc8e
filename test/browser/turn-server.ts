/**
 * A real TURN server (RFC 5766, UDP) on the loopback interface. node-turn is pure JavaScript, so
 * `npm test` brings it along; it is old and for tests only.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { IceSettings } from '../../src/adapters/webrtc/ice-settings.ts'

const HOST = '127.0.0.1'
const USERNAME = 'zebra'
const PASSWORD = 'stripes'
const SCRIPT = fileURLToPath(new URL('./turn-process.mjs', import.meta.url))

export class TurnServer {
  readonly #child: ChildProcess
  readonly url: string

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `turn:${HOST}:${port}`
  }

  static async start(): Promise<TurnServer> {
    const child = spawn(process.execPath, [SCRIPT, HOST, USERNAME, PASSWORD], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const said = once(child.stdout, 'data').then(([data]) => Number(String(data)))
    const died = once(child, 'exit').then(() => Number.NaN)
    const port = await Promise.race([said, died])
    if (!Number.isInteger(port)) throw new Error('the TURN server did not start')
    return new TurnServer(child, port)
  }

  /** Everything through this server, so a direct way cannot help out. */
  settings(password: string = PASSWORD): IceSettings {
    return {
      iceServers: [{ urls: [this.url], username: USERNAME, credential: password }],
      iceTransportPolicy: 'relay',
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
