/** A configuration from its files, and `-D` options from where they are given. */
import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'
import { readZooCfg, type ZooCfg } from './zoo-cfg.ts'

/** Throws a ConfigError that says what to change. */
export function loadZooCfg(path: string, properties: ReadonlyMap<string, string>): ZooCfg {
  const text = readText(path)
  if (text === null) throw new ConfigError(`${path}: there is no such file`)
  try {
    return readZooCfg({ path, text, properties, readText })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`${path}: ${error.message}`, { cause: error })
  }
}

/** `-Dname=value` words, the last one of a name counting; other words are left over. */
export function takeProperties(words: readonly string[]): {
  readonly properties: ReadonlyMap<string, string>
  readonly rest: readonly string[]
} {
  const properties = new Map<string, string>()
  const rest: string[] = []
  for (const word of words) {
    const [, name, value] = /^-D([^=]+)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) rest.push(word)
    // As Java has it, a property without a value is there and empty.
    else properties.set(name, (value ?? '').trim())
  }
  return { properties, rest }
}

/**
 * SERVER_JVMFLAGS and JVMFLAGS, where zkServer.sh takes `-D` options from; of what else stands
 * there a server on Node can make nothing.
 */
export function jvmFlags(environment: Readonly<Record<string, string | undefined>>): string[] {
  const all = `${environment['SERVER_JVMFLAGS'] ?? ''} ${environment['JVMFLAGS'] ?? ''}`
  return all.split(/\s+/).filter((word) => word.startsWith('-D'))
}

/** null: there is no such file. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new ConfigError(`${path} cannot be read: ${message}`, { cause: error })
  }
}
