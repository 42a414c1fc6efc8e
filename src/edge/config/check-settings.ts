/** What must fit together, and what follows from more than one key. */
import { isAbsolute } from 'node:path'
import { isStandalone, type ServerSettings } from '../settings.ts'
import { ConfigError } from './config-error.ts'
import { parseFlag } from './setting-row.ts'

/** Ids of sessions that would read as times to live (D44). */
const SID_OF_TTL = 255
/** 31 MiB. Half of what a writer holds, and room for what stands around the data. */
const PACKET_BYTES_MAX = 31 * 1024 * 1024
/** That a client can have an id of. */
const SCHEMES: readonly string[] = ['ip', 'digest', 'super', 'ensemble', 'x509']
/** zkServer.sh status and the client's read-only search need them (O14). */
const ALWAYS = 'srvr'

/** `given`: what was said, by key. */
export function checkedSettings(
  settings: ServerSettings,
  given: ReadonlyMap<string, string>,
  warn: (text: string) => void,
): ServerSettings {
  for (const [key, path] of [
    ['dataDir', settings.dataDirectory],
    ['dataLogDir', settings.logDirectory],
  ] as const) {
    if (path !== null && !isAbsolute(path)) {
      warn(`${key}=${path}: it is relative, so it depends on where the server is started`)
    }
  }
  const checked = {
    ...settings,
    ...sessionBounds(settings),
    ...packetBounds(settings, warn),
    wordsAllowed: words(settings),
    enforcedAuthSchemes: enforcedSchemes(settings, given.get('enforce.auth.enabled')),
  }
  checkPorts(checked, warn)
  checkAddresses(checked)
  if (!isStandalone(checked)) checkEnsemble(checked, given)
  if (checked.localSessionsUpgradingEnabled && !checked.localSessionsEnabled) {
    warn('localSessionsUpgradingEnabled means nothing without localSessionsEnabled')
  }
  if (!checked.forceSync) {
    warn('forceSync=no: what was acknowledged is lost when the machine fails')
  }
  if (checked.skipsAcl) warn('skipACL=yes: everybody may read and write everything')
  return checked
}

/** −1 is Apache's "not given". */
function sessionBounds(settings: ServerSettings): Partial<ServerSettings> {
  const { sessionTimeoutMinMs, sessionTimeoutMaxMs, tickTimeMs } = settings
  const min = sessionTimeoutMinMs === -1 ? null : sessionTimeoutMinMs
  const max = sessionTimeoutMaxMs === -1 ? null : sessionTimeoutMaxMs
  if ((min ?? 2 * tickTimeMs) > (max ?? 20 * tickTimeMs)) {
    throw new ConfigError('minSessionTimeout must not be larger than maxSessionTimeout')
  }
  return { sessionTimeoutMinMs: min, sessionTimeoutMaxMs: max }
}

/** More is no packet but a file: a reply with it could not be written (JUTE_MAX_WRITTEN). */
function packetBounds(
  { frameBytesMax, extraBytesMax }: ServerSettings,
  warn: (text: string) => void,
): Pick<ServerSettings, 'frameBytesMax' | 'extraBytesMax'> {
  const atMost = (key: string, bytes: number): number => {
    if (bytes > PACKET_BYTES_MAX) warn(`${key}=${bytes}: it is at most ${PACKET_BYTES_MAX}`)
    return Math.min(bytes, PACKET_BYTES_MAX)
  }
  return {
    frameBytesMax: atMost('jute.maxbuffer', frameBytesMax),
    extraBytesMax: extraBytesMax && atMost('jute.maxbuffer.extrasize', extraBytesMax),
  }
}

/** Two keys, which ZooKeeper wants together (A13). */
function enforcedSchemes(
  { enforcedAuthSchemes }: ServerSettings,
  enabled: string | undefined,
): readonly string[] {
  if (enabled === undefined || !parseFlag('enforce.auth.enabled', enabled)) return []
  if (enforcedAuthSchemes.length === 0) {
    throw new ConfigError('enforce.auth.enabled=true needs enforce.auth.schemes')
  }
  const strange = enforcedAuthSchemes.find((scheme) => !SCHEMES.includes(scheme))
  if (strange === undefined) return enforcedAuthSchemes
  throw new ConfigError(`enforce.auth.schemes: there is no scheme '${strange}' here`)
}

function words({ wordsAllowed, readOnlyModeEnabled }: ServerSettings): readonly string[] {
  const all = [...wordsAllowed, ALWAYS, ...(readOnlyModeEnabled ? ['isro'] : [])]
  return [...new Set(all)]
}

function checkAddresses({ members, severalAddressesEnabled }: ServerSettings): void {
  const several = members.find(({ otherAddresses = [] }) => otherAddresses.length > 0)
  if (several === undefined || severalAddressesEnabled) return
  const what = `server.${several.sid} has several addresses`
  throw new ConfigError(`${what}: give one, or set multiAddress.enabled=true`)
}

function checkPorts(settings: ServerSettings, warn: (text: string) => void): void {
  checkTls(settings)
  if (settings.adminNeedsCertificate && !settings.adminForcesTls) {
    warn('admin.needClientAuth=true without admin.forceHttps: by http anybody comes')
  }
  if (settings.secureClientPort !== null) return
  if (settings.clientPort !== null) return
  if (settings.clientAddress !== null) {
    throw new ConfigError('clientPortAddress is given without clientPort')
  }
  if (isStandalone(settings)) throw new ConfigError('clientPort is missing: name a port, as 2181')
  warn('clientPort is missing: this member serves no clients')
}

/** Whoever asks for TLS means it: without a key nothing is protected. */
function checkTls(settings: ServerSettings): void {
  const { secureClientPort, secureClientAddress, clientPortTakesTls, clientTls } = settings
  if (secureClientPort === null && secureClientAddress !== null) {
    throw new ConfigError('secureClientPortAddress is given without secureClientPort')
  }
  if ((secureClientPort !== null || clientPortTakesTls) && (clientTls?.keyStore ?? null) === null) {
    throw new ConfigError('TLS for clients needs ssl.keyStore.location: a key and its certificate')
  }
  const isQuorumTls = settings.quorumUsesTls || settings.quorumTakesBoth
  if (isQuorumTls && (settings.quorumTls?.keyStore ?? null) === null) {
    throw new ConfigError('sslQuorum needs ssl.quorum.keyStore.location: a key and certificate')
  }
  const isAdminTls = settings.adminForcesTls || settings.adminTakesBoth
  if (isAdminTls && (settings.quorumTls?.keyStore ?? null) === null) {
    throw new ConfigError('https for administration needs ssl.quorum.keyStore.location')
  }
}

function checkEnsemble(settings: ServerSettings, given: ReadonlyMap<string, string>): void {
  for (const key of ['initLimit', 'syncLimit']) {
    if (!given.has(key)) throw new ConfigError(`${key} is missing: an ensemble needs it (ticks)`)
  }
  if (settings.extendedTypesEnabled && settings.sid === SID_OF_TTL) {
    throw new ConfigError('extendedTypesEnabled: no server may have the id 255')
  }
}
