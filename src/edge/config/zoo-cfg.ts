/**
 * ZooKeeper's configuration: zoo.cfg, its dynamic part and `-D` options become ServerSettings.
 * Every key is honoured, or named in a warning that says why not, or stops the start.
 */
import { join } from 'node:path'
import { DEFAULT_SETTINGS, serverSettings, type ServerSettings } from '../settings.ts'
import { isTlsKey, tlsKeys } from '../tls/tls-keys.ts'
import { ConfigError } from './config-error.ts'
import { checkedSettings } from './check-settings.ts'
import { memberSettings, type ServerLists } from './member-list.ts'
import { isMetricsKey, metricsSettings } from './metrics-keys.ts'
import { parseProperties, type PropertyEntry } from './properties.ts'
import { settingRow, SETTING_ROWS } from './setting-table.ts'
import { withoutEffect } from './without-effect.ts'

export interface ConfigInput {
  /** The file's own path, for what is said about it. */
  readonly path: string
  readonly text: string
  /** What `-D` options say, by their names without the `-D`. */
  readonly properties: ReadonlyMap<string, string>
  /** Another file that the configuration names; null = there is none. */
  readonly readText: (path: string) => string | null
}

export interface ZooCfg {
  readonly settings: ServerSettings
  /** Sentences, in the order of the file. */
  readonly warnings: readonly string[]
}

/** ZooKeeperServer.DEFAULT_TICK_TIME: of a file that names no tickTime. */
const TICK_TIME_MS = 3_000
const DYNAMIC_FILE = 'dynamicConfigFile'
/** Of the list of members, which may stand in a file of its own. */
const LIST_KEY = /^(server\.|group|weight)/

/** A key as it was written, by whichever of its names and wherever. */
interface Said {
  readonly label: string
  readonly name: string
  readonly value: string
}

/** Throws a ConfigError that says what to change. */
export function readZooCfg(input: ConfigInput): ZooCfg {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const said = givenOnce(parseProperties(input.text), input.path, warn)
  addProperties(said, input.properties, warn)
  const metrics = new Map<string, string>()
  const tls = new Map<string, string>()
  const lists = new Map<string, string>()
  let told: Partial<ServerSettings> = DEFAULTS
  for (const [key, { name, value, label }] of said) {
    if (LIST_KEY.test(key)) lists.set(key, value)
    else if (isMetricsKey(key)) metrics.set(key, value)
    else if (isTlsKey(key)) tls.set(key, value)
    else if (key !== DYNAMIC_FILE) told = { ...told, ...read(name, value, label, warn) }
  }
  const { dataDirectory } = told
  if (dataDirectory === undefined) throw new ConfigError('dataDir is missing: name a folder')
  const base = serverSettings({
    ...told,
    dataDirectory,
    ...metricsSettings(metrics, warn),
    clientTls: tlsKeys(tls, 'clients', warn),
    quorumTls: tlsKeys(tls, 'quorum', warn),
  })
  const values = new Map([...said].map(([key, { value }]) => [key, value]))
  const serverLists: ServerLists = {
    entries: dynamicEntries(values.get(DYNAMIC_FILE), lists, input.readText),
    myId: input.readText(join(dataDirectory, 'myid')),
    hasPeerType: values.has('peerType'),
  }
  const settings = { ...base, ...memberSettings(base, serverLists, warn) }
  return { settings: checkedSettings(settings, values, warn), warnings }
}

/** What differs when a file says nothing: it has to name its port, and its ticks are longer. */
const DEFAULTS: Partial<ServerSettings> = {
  ...DEFAULT_SETTINGS,
  clientPort: null,
  tickTimeMs: TICK_TIME_MS,
}

/** By the first name of each key. */
function givenOnce(
  entries: readonly PropertyEntry[],
  path: string,
  warn: (text: string) => void,
): Map<string, Said> {
  const given = new Map<string, Said>()
  for (const { key: name, value, line } of entries) {
    const key = settingRow(name)?.key ?? name
    if (given.has(key)) warn(`${path}:${line}: ${name} is given again: this one counts`)
    given.set(key, { label: name, name, value: value.trim() })
  }
  return given
}

/**
 * ZooKeeper turns what it does not know in its file into a system property, over what the command
 * line said: so the file wins.
 */
function addProperties(
  said: Map<string, Said>,
  properties: ReadonlyMap<string, string>,
  warn: (text: string) => void,
): void {
  for (const [property, value] of properties) {
    const name = property.replace(/^zookeeper\./, '')
    const key = settingRow(name)?.key ?? name
    const label = `-D${property}`
    const ofFile = said.get(key)
    if (ofFile !== undefined) {
      if (ofFile.value !== value) warn(`${label}=${value}: the file says otherwise and wins`)
    } else if (LIST_KEY.test(name) || name === DYNAMIC_FILE) {
      warn(`${label}: the list of servers stands in files only: it is ignored`)
    } else if (property === name && !isKnown(name)) {
      warn(`${label}: this is no JVM, and it is no key of ZooKeeper’s${hint(name)}: it is ignored`)
    } else {
      said.set(key, { label, name, value })
    }
  }
}

function isKnown(name: string): boolean {
  return (
    settingRow(name) !== null ||
    withoutEffect(name) !== null ||
    isMetricsKey(name) ||
    isTlsKey(name)
  )
}

/** `label` is how the key was written. */
function read(
  key: string,
  value: string,
  label: string,
  warn: (text: string) => void,
): Partial<ServerSettings> {
  const row = settingRow(key)
  if (row !== null) return row.read(value)
  const idle = withoutEffect(key)
  if (idle === null) {
    warn(`${label} is no key of ZooKeeper’s${hint(key)}: it is ignored`)
  } else if (!(idle.fine ?? []).some((fine) => fine.toLowerCase() === value.toLowerCase())) {
    const what = `${label}=${value}: ${idle.why}`
    if (idle.isRefused === true) throw new ConfigError(`${what}; take it out to start without`)
    warn(`${what}: it is ignored`)
  }
  return {}
}

/** The list of members from the file, or from the dynamic one that it names. */
function dynamicEntries(
  path: string | undefined,
  lists: ReadonlyMap<string, string>,
  readText: (path: string) => string | null,
): ReadonlyMap<string, string> {
  if (path === undefined) return lists
  const [strange] = lists.keys()
  if (strange !== undefined) {
    throw new ConfigError(`${strange} belongs into ${path}, the dynamicConfigFile, with the others`)
  }
  const text = readText(path)
  if (text === null) throw new ConfigError(`dynamicConfigFile=${path}: there is no such file`)
  const entries = new Map(parseProperties(text).map(({ key, value }) => [key, value.trim()]))
  for (const key of entries.keys()) {
    if (key === 'version') throw new ConfigError(`${path}: version stands in its name, not in it`)
    if (!LIST_KEY.test(key)) throw new ConfigError(`${path}: ${key} belongs into the other file`)
  }
  return entries
}

/** A name with its prefix, or in other letters, is the usual mistake. */
function hint(key: string): string {
  const bare = key.replace(/^zookeeper\./, '').toLowerCase()
  const names = SETTING_ROWS.flatMap((row) => [row.key, ...(row.alsoAs ?? [])])
  const meant = names.find((name) => name.toLowerCase() === bare)
  return meant === undefined ? '' : ` (${meant} is)`
}
