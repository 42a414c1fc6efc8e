/** ZooKeeper's connect strings (W60). */

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

const CLIENT_PORT = 2181
const PORT = /^\d{1,5}$/
export const SERVICE_PREFIX = 'dns-srv://'

export interface ConnectString {
  /** Empty: those of the service. */
  readonly members: readonly HostAndPort[]
  /** Its SRV records are the members; null: it names none. */
  readonly service: string | null
  readonly chroot: string | null
}

/**
 * Reads ZooKeeper's `host:port,host:port/chroot`, whose port defaults to 2181 and whose IPv6 hosts
 * stand in brackets, or `dns-srv://name/chroot`. Throws an Error that names what is wrong.
 */
export function parseConnectString(text: string): ConnectString {
  if (text.startsWith(SERVICE_PREFIX)) return parseService(text.slice(SERVICE_PREFIX.length))
  const slash = text.indexOf('/')
  const hosts = slash < 0 ? text : text.slice(0, slash)
  const path = slash < 0 ? '/' : text.slice(slash)
  const members = hosts.split(',').map((part) => parseHost(part.trim()))
  return { members, service: null, chroot: path === '/' ? null : path }
}

function parseService(text: string): ConnectString {
  const [, service = '', path = ''] = /^([^/]*)(.*)$/s.exec(text) ?? []
  if (!/^[\w-]+(\.[\w-]+)*\.?$/.test(service)) {
    throw new Error(`'${SERVICE_PREFIX}${text}' names no service: write dns-srv://NAME`)
  }
  return { members: [], service, chroot: path === '' || path === '/' ? null : path }
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
