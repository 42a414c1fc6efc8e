import { messageOf } from '../../core/base/message-of.ts'
/**
 * STUN and TURN servers as a person, a link or a server names them: checked before a browser sees
 * them, since its own errors name neither the entry nor what to do. No DOM types: the edge checks
 * the same settings before it serves them.
 */

/** As in RTCIceServer; `urls` always as a list. */
export interface IceServer {
  readonly urls: string[]
  readonly username?: string
  readonly credential?: string
}

export type IcePolicy = 'all' | 'relay'

export interface IceSettings {
  readonly iceServers: readonly IceServer[]
  /** `relay`: only by way of a TURN server, to test it or to hide addresses from peers. */
  readonly iceTransportPolicy: IcePolicy
}

export const NO_ICE_SETTINGS: IceSettings = { iceServers: [], iceTransportPolicy: 'all' }

/** The page asks the server that served it for this file, which lies beside it. */
export const ICE_FILE = 'ice.json'

/** Browsers slow down, and say so, from five on; each server costs a round of candidates. */
export const ICE_SERVERS_MAX = 8
const URLS_MAX = 8
/** The longest host name, and what stands around it. */
const URL_MAX = 300
/** RFC 8489: a username has less than 509 bytes; a token as credential may be longer. */
const USERNAME_MAX = 508
const CREDENTIAL_MAX = 2048
const TEXT_MAX: number = 32 * 1024

const SERVER_URL = /^(stuns?|turns?):(\[[0-9a-f:.]+\]|[^\s:?#/@[\]]+)(?::(\d{1,5}))?(\?\S*)?$/i

/** Its message is a sentence for people that names the entry. */
export class IceSettingsError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IceSettingsError'
  }
}

/** JSON, or just addresses with spaces or commas between them. Throws IceSettingsError. */
export function parseIceText(text: string): IceSettings {
  const trimmed = text.trim()
  if (trimmed.length > TEXT_MAX) throw new IceSettingsError('These settings are too long.')
  if (trimmed === '') return NO_ICE_SETTINGS
  if (!/^[[{"]/.test(trimmed)) return parseIceSettings({ urls: trimmed.split(/[\s,]+/) })
  let value: unknown
  try {
    value = JSON.parse(trimmed)
  } catch (error) {
    const why = messageOf(error)
    throw new IceSettingsError(`The ICE settings are not JSON: ${why}`)
  }
  return parseIceSettings(value)
}

/**
 * One server, a list of servers, or `{iceServers, iceTransportPolicy}`, as RTCPeerConnection takes
 * them. Throws IceSettingsError.
 */
export function parseIceSettings(value: unknown): IceSettings {
  if (Array.isArray(value)) return settingsOf(value, undefined)
  if (!isObject(value)) {
    throw new IceSettingsError('ICE settings are a list of servers, or {"iceServers": […]}.')
  }
  const { urls, iceServers, iceTransportPolicy } = value
  if (urls !== undefined) return settingsOf([value], undefined)
  refuseOthers(value, ['iceServers', 'iceTransportPolicy'], 'The ICE settings')
  if (iceServers !== undefined && !Array.isArray(iceServers)) {
    throw new IceSettingsError('"iceServers" is not a list.')
  }
  return settingsOf(iceServers ?? [], iceTransportPolicy)
}

/** For pages and reports: which servers, nothing secret. */
export function iceAddresses(settings: IceSettings): string[] {
  return settings.iceServers.flatMap((server) => server.urls)
}

export function hasTurn(settings: IceSettings): boolean {
  return iceAddresses(settings).some((url) => /^turns?:/i.test(url))
}

/** The settings hold something that must not be passed on unasked. */
export function hasCredentials(settings: IceSettings): boolean {
  return settings.iceServers.some((server) => server.credential !== undefined)
}

function settingsOf(servers: readonly unknown[], policy: unknown): IceSettings {
  if (servers.length > ICE_SERVERS_MAX) {
    throw new IceSettingsError(`More than ${ICE_SERVERS_MAX} ICE servers only slow a page down.`)
  }
  if (policy !== undefined && policy !== 'all' && policy !== 'relay') {
    throw new IceSettingsError('"iceTransportPolicy" is "all" or "relay".')
  }
  const settings: IceSettings = {
    iceServers: servers.map((server, index) => parseServer(server, `ICE server ${index + 1}`)),
    iceTransportPolicy: policy ?? 'all',
  }
  if (policy === 'relay' && !hasTurn(settings)) {
    throw new IceSettingsError('"iceTransportPolicy": "relay" needs a turn: server.')
  }
  return settings
}

function parseServer(value: unknown, where: string): IceServer {
  if (!isObject(value)) throw new IceSettingsError(`${where} is not an object with "urls".`)
  refuseOthers(value, ['urls', 'username', 'credential'], where)
  const { username, credential } = value
  const given = typeof value.urls === 'string' ? [value.urls] : value.urls
  if (!Array.isArray(given) || given.length === 0 || given.length > URLS_MAX) {
    throw new IceSettingsError(`${where} needs "urls": an address, or a list of 1 to ${URLS_MAX}.`)
  }
  const urls = given.map((url) => parseUrl(url, where))
  if (!urls.some((url) => /^turns?:/i.test(url))) {
    if (username === undefined && credential === undefined) return { urls }
    throw new IceSettingsError(`${where}: a stun: server takes no username and no credential.`)
  }
  if (!isText(username, USERNAME_MAX) || !isText(credential, CREDENTIAL_MAX)) {
    throw new IceSettingsError(`${where}: a turn: server needs a "username" and a "credential".`)
  }
  return { urls, username, credential }
}

function parseUrl(value: unknown, where: string): string {
  const found = typeof value === 'string' && value.length <= URL_MAX ? SERVER_URL.exec(value) : null
  if (found === null) {
    const shown = typeof value === 'string' ? `'${value.slice(0, 60)}'` : 'something'
    throw new IceSettingsError(
      `${where} has ${shown} where an address like turn:turn.example.org:3478 or ` +
        'stun:stun.example.org belongs.',
    )
  }
  const [url, scheme = '', , port, query] = found
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new IceSettingsError(`${where}: ${port} is no port number.`)
  }
  const mayAsk = /^turn/i.test(scheme) && /^\?transport=(udp|tcp)$/i.test(query ?? '')
  if (query !== undefined && !mayAsk) {
    throw new IceSettingsError(
      `${where}: after a turn: address only ?transport=udp or ?transport=tcp may stand, ` +
        'after a stun: address nothing.',
    )
  }
  return url
}

interface Fields {
  readonly [name: string]: unknown
  readonly urls?: unknown
  readonly username?: unknown
  readonly credential?: unknown
  readonly iceServers?: unknown
  readonly iceTransportPolicy?: unknown
}

/** A misspelt name would otherwise be a server that silently lacks its password. */
function refuseOthers(value: Fields, known: readonly string[], where: string): void {
  const other = Object.keys(value).find((name) => !known.includes(name))
  if (other === undefined) return
  throw new IceSettingsError(`${where}: "${other.slice(0, 40)}" is none of ${known.join(', ')}.`)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= lengthMax
}
