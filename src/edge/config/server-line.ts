/**
 * One line of the list of members (Q2), `host:quorumPort:electionPort[:role]` and, behind `;`, its
 * `[clientAddress:]clientPort` and `[secureAddress:]securePort`, with further addresses of the
 * server behind `|`. An IPv6 address stands in brackets.
 */
import type { QuorumAddress } from '../../adapters/tcp/quorum-member.ts'
import { toServerId, type ServerId } from '../../core/base/zxid.ts'
import type { EnsembleMember, MemberRole } from '../settings.ts'
import { ConfigError } from './config-error.ts'

/** A sid is the top byte of session ids (S1). */
const SID_MAX = 255
const PORT_MAX = 65_535
const FORM =
  'write host:quorumPort:electionPort[:participant|observer][;[clientAddress:]clientPort' +
  '[;[secureAddress:]securePort]], an IPv6 address in brackets'

export function parseServerLine(key: string, value: string): EnsembleMember {
  const where = `${key}=${value}`
  const sid = parseSid(key.slice('server.'.length), where)
  const [servers = '', client = '', secure = '', ...more] = value.split(';').map((p) => p.trim())
  if (more.length > 0) throw new ConfigError(`${where}: too many ';': ${FORM}`)
  const [first, ...others] = servers.split('|').map((part) => parseServerPart(part, where))
  if (first === undefined) throw new ConfigError(`${where}: ${FORM}`)
  const roles = [first, ...others].flatMap(({ role }) => role ?? [])
  if (new Set(roles).size > 1) {
    throw new ConfigError(`${where}: all addresses of one server have the same role`)
  }
  return {
    sid,
    ...first.address,
    ...(others.length === 0 ? {} : { otherAddresses: others.map(({ address }) => address) }),
    role: roles[0] ?? 'participant',
    ...(client === '' ? {} : clientFields(parseClientPart(client, where))),
    ...(secure === '' ? {} : secureFields(parseClientPart(secure, where))),
  }
}

interface ServerPart {
  readonly address: QuorumAddress
  readonly role: MemberRole | null
}

/** `host:quorumPort:electionPort[:role]`: one address of a server. */
function parseServerPart(text: string, where: string): ServerPart {
  const [host = '', quorum, election, role, ...rest] = splitAddress(text.trim(), where)
  if (host === '' || quorum === undefined || rest.length > 0) {
    throw new ConfigError(`${where}: ${FORM}`)
  }
  if (election === undefined) {
    throw new ConfigError(`${where}: the election port is missing: ${FORM}`)
  }
  const quorumPort = parsePort(quorum, where)
  const electionPort = parsePort(election, where)
  if (quorumPort === electionPort) {
    throw new ConfigError(`${where}: the quorum port and the election port must differ`)
  }
  return {
    address: { host, quorumPort, electionPort },
    role: role === undefined ? null : parseRole(role, where),
  }
}

export function parseSid(text: string, where: string): ServerId {
  const sid = Number(text)
  if (!/^\d{1,3}$/.test(text) || sid < 1 || sid > SID_MAX) {
    throw new ConfigError(`${where}: a server id is a whole number from 1 to ${SID_MAX}`)
  }
  return toServerId(sid)
}

export function parseRole(text: string, where: string): MemberRole {
  const role = text.trim().toLowerCase()
  if (role === 'participant' || role === 'observer') return role
  throw new ConfigError(`${where}: '${text}' is no role: it is participant or observer`)
}

interface ClientPart {
  /** null: every one of the machine. */
  readonly address: string | null
  readonly port: number
}

/** `2181`, `host:2181` or `[::1]:2181`; without an address clients are served on every one. */
function parseClientPart(text: string, where: string): ClientPart {
  const parts = splitAddress(text, where)
  const [first = '', second, ...rest] = parts
  if (rest.length > 0) throw new ConfigError(`${where}: '${text}' is no address of clients`)
  if (second === undefined) return { address: null, port: parsePort(first, where) }
  const port = parsePort(second, where)
  return { address: isEveryAddress(first) ? null : first, port }
}

function clientFields({ address, port }: ClientPart): Partial<EnsembleMember> {
  return { ...(address === null ? {} : { clientAddress: address }), clientPort: port }
}

function secureFields({ address, port }: ClientPart): Partial<EnsembleMember> {
  return { ...(address === null ? {} : { secureClientAddress: address }), secureClientPort: port }
}

/** What Apache writes for "every address". */
function isEveryAddress(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '*'
}

/** The host, without its brackets, and what follows it between colons. */
function splitAddress(text: string, where: string): string[] {
  if (!text.startsWith('[')) return text.split(':').map((part) => part.trim())
  const close = text.indexOf(']')
  if (close < 0) throw new ConfigError(`${where}: '[' without a matching ']'`)
  const rest = text.slice(close + 1)
  if (rest !== '' && !rest.startsWith(':')) {
    throw new ConfigError(`${where}: after ']' comes ':' and a port`)
  }
  return [text.slice(1, close), ...rest.split(':').slice(1)].map((part) => part.trim())
}

function parsePort(text: string, where: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > PORT_MAX) {
    throw new ConfigError(`${where}: '${text}' is no port: it is a number from 0 to ${PORT_MAX}`)
  }
  return port
}
