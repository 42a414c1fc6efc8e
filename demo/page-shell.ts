/** The page's zkCli: the shared shell over a client that prefers this tab's member. */
import type { Room } from '../src/browser/room.ts'
import { Shell } from '../src/cli/shell.ts'
import type { ClientHost, ClientTransport } from '../src/client/transport.ts'
import { ZooKeeperClient } from '../src/client/zookeeper-client.ts'
import type { TerminalView } from './terminal-view.ts'

/**
 * Shorter than zkCli's 30 s, so that a crashed machine's ephemerals go while one looks on; far
 * above a failover. `&timeout=30000` gives zkCli's own.
 */
const SESSION_TIMEOUT_MS = 10_000
const HOST_LABEL = 'localhost:2181'

export function startShell(room: Room, view: TerminalView, query: URLSearchParams): Shell {
  const asked = Number(query.get('timeout') ?? SESSION_TIMEOUT_MS)
  const sessionTimeoutMs = Number.isInteger(asked) && asked > 0 ? asked : SESSION_TIMEOUT_MS
  return new Shell({
    mode: query.get('shell') === '3.4' ? '3.4' : '3.9',
    hostLabel: HOST_LABEL,
    write: (line, kind) => view.write(line, kind),
    onQuit: () => view.close('The session is closed. Reload this page for a new one.'),
    connect: ({ host, watcher }) =>
      new ZooKeeperClient({
        transport: only(host, room.transport()),
        sessionTimeoutMs,
        watcher,
      }),
  })
}

/** `connect 2` or `connect machine2:2181` means that machine; any other host, this ensemble. */
function only(host: string, transport: ClientTransport): ClientTransport {
  const sid = /^(?:machine)?(\d+)(?::\d+)?$/.exec(host)?.[1]
  if (sid === undefined) return transport
  return {
    hosts: () => transport.hosts().filter((one: ClientHost) => one.id === sid),
    connect: (one, signal) => transport.connect(one, signal),
  }
}
