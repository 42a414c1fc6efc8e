/** What this server says it is. */
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The release whose protocol and commands these are; clients and monitors read it. */
export const ZOOKEEPER_VERSION = '3.9.3'
export const ZABRA_VERSION = '0.1.0'

/** In ZooKeeper's form: release, build, and when it was built, by the age of this very file. */
export function fullVersion(): string {
  const date = statSync(fileURLToPath(import.meta.url)).mtime.toISOString()
  return (
    `${ZOOKEEPER_VERSION}-zabra-${ZABRA_VERSION}, ` +
    `built on ${date.slice(0, 10)} ${date.slice(11, 16)} UTC`
  )
}
