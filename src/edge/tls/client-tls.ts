/** TLS of `zabra cli`, by the keys of ZooKeeper's client: a file of them, or -D options. */
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import { parseFlag } from '../config/setting-row.ts'
import { isTlsKey, tlsKeys } from './tls-keys.ts'
import { tlsSideOf } from './tls-side-of.ts'

const SECURE = 'client.secure'

/** null: client.secure is off. Throws an Error that says what to change. */
export function clientTls(properties: ReadonlyMap<string, string>): TlsSide | null {
  const own = new Map<string, string>()
  for (const [name, value] of properties) own.set(name.replace(/^zookeeper\./, ''), value)
  if (!parseFlag(SECURE, own.get(SECURE) ?? 'false')) return null
  // Other keys are of no interest to whoever types a command.
  const given = new Map([...own].filter(([key]) => isTlsKey(key)))
  const keys = tlsKeys(given, 'clients', () => undefined)
  if (keys === null) throw new Error('client.secure=true needs ssl.trustStore.location')
  return tlsSideOf(keys, { isCalled: false })
}
