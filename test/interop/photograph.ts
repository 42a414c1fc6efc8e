/** Everything that a client can see of a server's tree, to be compared with another's. */
import { toHex } from '../../src/core/base/bytes.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'

/** By path: data, every number of the Stat, and the ACL, in words. */
export type Photograph = Readonly<Record<string, string>>

/**
 * All below `path` but the paths in `except` and what is below them. `/zookeeper/config` is not the
 * tree's: each server says there what it was started with.
 */
export async function photograph(
  client: ZooKeeperClient,
  path = '/',
  except: readonly string[] = [],
): Promise<Photograph> {
  if (path === '/zookeeper/config' || except.includes(path)) return {}
  const [{ data, stat }, { acl }, children] = await Promise.all([
    client.getData(path),
    client.getACL(path),
    client.getChildren(path),
  ])
  const numbers = Object.entries(stat).map(([name, value]) => `${name}=${String(value)}`)
  const may = acl.map(({ perms, id }) => `${id.scheme}:${id.id}:${perms}`)
  const bytes = data === null ? 'null' : toHex(data)
  const seen = { [path]: [bytes, ...numbers, ...may].join(' ') }
  const below = children.map((name) =>
    photograph(client, `${path === '/' ? '' : path}/${name}`, except),
  )
  return Object.assign(seen, ...(await Promise.all(below))) as Photograph
}
