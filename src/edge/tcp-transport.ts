/** Members behind host:port addresses, for clients on Node. */
import type { Socket } from 'node:net'
import { SocketChannel } from '../adapters/tcp/socket-channel.ts'
import { dial, type TlsSide } from '../adapters/tcp/tls-side.ts'
import { REPLY_FRAME_MAX_BYTES } from '../client/limits.ts'
import type { ClientConnection, ClientHost, ClientTransport } from '../client/transport.ts'

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

export interface TcpTransportOptions {
  readonly members: readonly HostAndPort[]
  /** Default: without TLS. */
  readonly tls?: TlsSide | null
  /** Random number in [0, 1): the order in which members are tried (S28). */
  readonly random?: () => number
}

const CLIENT_PORT = 2181
/** Characters of an answer that are worth reading: 'ro', 'rw' or 'null'. */
const ANSWER_MAX = 8
const PORT = /^\d{1,5}$/

export class TcpTransport implements ClientTransport {
  readonly #tls: TlsSide | null
  readonly #random: () => number
  #hosts: readonly ClientHost[] = []
  #members: ReadonlyMap<string, HostAndPort> = new Map()

  constructor(options: TcpTransportOptions) {
    this.#tls = options.tls ?? null
    this.#random = options.random ?? Math.random
    this.members = options.members
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
    const member = this.#members.get(host.id)
    if (member === undefined) throw new Error(`no member ${host.id}`)
    return new TcpConnection(await open(member, this.#tls, signal))
  }

  /** The word `isro`, which is no frame, nor is its answer (S41). */
  async isReadWrite(host: ClientHost, signal: AbortSignal): Promise<boolean> {
    const member = this.#members.get(host.id)
    if (member === undefined) return false
    const socket = await open(member, this.#tls, signal)
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
        resolve(answer.trim() === 'rw')
      })
      socket.once('end', stop)
      socket.write('isro')
    })
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

/**
 * Reads ZooKeeper's `host:port,host:port/chroot`; the port defaults to 2181, IPv6 hosts stand in
 * brackets. Throws an Error that names the part that is wrong.
 */
export function parseConnectString(text: string): {
  readonly members: readonly HostAndPort[]
  readonly chroot: string | null
} {
  const slash = text.indexOf('/')
  const hosts = slash < 0 ? text : text.slice(0, slash)
  const path = slash < 0 ? '/' : text.slice(slash)
  const members = hosts.split(',').map((part) => parseHost(part.trim()))
  return { members, chroot: path === '/' ? null : path }
}

function parseHost(part: string): HostAndPort {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(part)
  const colon = part.lastIndexOf(':')
  const host = bracketed?.[1] ?? (colon < 0 ? part : part.slice(0, colon))
  const port = bracketed === null ? (colon < 0 ? undefined : part.slice(colon + 1)) : bracketed[2]
  const number = port === undefined ? CLIENT_PORT : Number(port)
  if (host === '') throw new Error(`'${part}' names no host: write host:port`)
  if (port !== undefined && (!PORT.test(port) || number < 1 || number > 65535)) {
    throw new Error(`'${part}' has no valid port: it is a number from 1 to 65535`)
  }
  return { host, port: number }
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
