/** Members behind host:port addresses, for clients on Node. */
import type { Socket } from 'node:net'
import { SocketChannel } from '../adapters/tcp/socket-channel.ts'
import { dial, type TlsSide } from '../adapters/tcp/tls-side.ts'
import { REPLY_FRAME_MAX_BYTES } from '../client/limits.ts'
import { SERVICE_PREFIX, type HostAndPort } from './connect-string.ts'
import { ServiceHosts, type LookUp } from './service-hosts.ts'
import type { ClientConnection, ClientHost, ClientTransport } from '../client/transport.ts'

export interface TcpTransportOptions {
  /** Empty: those of `service`. */
  readonly members: readonly HostAndPort[]
  /** A name whose SRV records are the members, as they are each time somebody is to be reached. */
  readonly service?: string | null
  /** Default: the system's resolver. */
  readonly lookUp?: LookUp
  /** Default: without TLS. */
  readonly tls?: TlsSide | null
  /** Random number in [0, 1): the order in which members are tried (S28). */
  readonly random?: () => number
}

/** Characters of an answer that are worth reading: 'ro', 'rw' or 'null'. */
const ANSWER_MAX = 8

export class TcpTransport implements ClientTransport {
  readonly #tls: TlsSide | null
  readonly #random: () => number
  readonly #service: ServiceHosts | null
  #hosts: readonly ClientHost[] = []
  #members: ReadonlyMap<string, HostAndPort> = new Map()

  constructor(options: TcpTransportOptions) {
    this.#tls = options.tls ?? null
    this.#random = options.random ?? Math.random
    this.members = options.members
    const { service = null, lookUp } = options
    this.#service =
      service === null
        ? null
        : new ServiceHosts({
            name: service,
            random: this.#random,
            nowMs: () => performance.now(),
            ...(lookUp === undefined ? {} : { lookUp }),
          })
    // One host to whoever asks for hosts: which one that is, turns out when it is reached.
    if (service === null) return
    const label = SERVICE_PREFIX + service
    this.#hosts = [{ id: label, label, isLocal: false }]
  }

  /** From now on; tell the client by its `updateServerList` (S30). */
  set members(members: readonly HostAndPort[]) {
    const shuffled = members
      .map((member) => ({ member, key: this.#random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ member }) => member)
    this.#members = new Map(shuffled.map((member) => [label(member), member]))
    this.#hosts = [...this.#members.keys()].map((id) => ({ id, label: id, isLocal: false }))
  }

  hosts(): readonly ClientHost[] {
    return this.#hosts
  }

  async connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection> {
    return new TcpConnection(await this.#open(host, signal))
  }

  /** The word `isro`, which is no frame, nor is its answer (S41). */
  async isReadWrite(host: ClientHost, signal: AbortSignal): Promise<boolean> {
    const socket = await this.#open(host, signal)
    const stop = (): void => {
      socket.destroy()
    }
    signal.addEventListener('abort', stop, { once: true })
    return new Promise((resolve) => {
      let answer = ''
      socket.setEncoding('latin1')
      socket.on('data', (text) => (answer += String(text).slice(0, ANSWER_MAX)))
      socket.on('error', stop)
      socket.once('close', () => {
        signal.removeEventListener('abort', stop)
        const isReadWrite = answer.trim() === 'rw'
        if (isReadWrite) this.#service?.again()
        resolve(isReadWrite)
      })
      socket.once('end', stop)
      socket.write('isro')
    })
  }

  async #open(host: ClientHost, signal: AbortSignal): Promise<Socket> {
    if (this.#service !== null) {
      return this.#service.first((member) => open(member, this.#tls, signal), signal)
    }
    const member = this.#members.get(host.id)
    if (member === undefined) throw new Error(`no member ${host.id}`)
    return open(member, this.#tls, signal)
  }
}

class TcpConnection implements ClientConnection {
  onTick: () => void = ignore
  readonly #channel: SocketChannel

  constructor(socket: Socket) {
    this.#channel = new SocketChannel(socket, REPLY_FRAME_MAX_BYTES)
  }

  send(bytes: Uint8Array): void {
    this.#channel.send(bytes)
  }

  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#channel.onMessage = listen
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#channel.onMessage
  }

  set onClose(listen: (reason: string) => void) {
    this.#channel.onClose = listen
  }

  get onClose(): (reason: string) => void {
    return this.#channel.onClose
  }

  close(reason: string): void {
    this.#channel.close(reason)
  }
}

function open(
  { host, port }: HostAndPort,
  tls: TlsSide | null,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const { socket, readyOn } = dial(host, port, tls)
    const onAbort = (): void => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', (error) => {
      signal.removeEventListener('abort', onAbort)
      reject(error)
    })
    socket.once(readyOn, () => {
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

function label({ host, port }: HostAndPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function ignore(): void {}
