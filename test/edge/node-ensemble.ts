/** Ensembles of NodeServers in one process, for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toServerId } from '../../src/core/base/zxid.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { ownPorts } from '../own-ports.ts'
import { NodeServer, type NodeServerHooks } from '../../src/edge/node-server.ts'
import {
  serverSettings,
  type EnsembleMember,
  type ServerSettings,
} from '../../src/edge/settings.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'

export class NodeEnsemble implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'zabra-ensemble-'))
  readonly members: readonly EnsembleMember[]
  readonly servers = new Map<number, NodeServer>()
  readonly #said: Partial<ServerSettings>

  private constructor(members: readonly EnsembleMember[], said: Partial<ServerSettings>) {
    this.members = members
    this.#said = said
  }

  /** Nobody runs yet. Observers have the highest ids. */
  static async plan(
    voters: number,
    observers = 0,
    said: Partial<ServerSettings> = {},
  ): Promise<NodeEnsemble> {
    const count = voters + observers
    const ports = await ownPorts(3 * count)
    // One port for all of them: each has an address of its own.
    const host = (sid: number): string =>
      said.observerMasterPort === undefined ? '127.0.0.1' : `127.0.0.${sid}`
    const members = Array.from({ length: count }, (_, i): EnsembleMember => {
      return {
        sid: toServerId(i + 1),
        host: host(i + 1),
        quorumPort: ports[3 * i]!,
        electionPort: ports[3 * i + 1]!,
        role: i < voters ? 'participant' : 'observer',
        clientAddress: '127.0.0.1',
        clientPort: ports[3 * i + 2]!,
      }
    })
    return new NodeEnsemble(members, said)
  }

  settings(sid: number): ServerSettings {
    const member = this.members[sid - 1]!
    return serverSettings({
      dataDirectory: join(this.directory, String(sid)),
      preallocateBytes: 64 * 1024,
      adminEnabled: false,
      clientPort: member.clientPort!,
      clientAddress: '127.0.0.1',
      sid: member.sid,
      members: this.members,
      role: member.role,
      ...this.#said,
    })
  }

  async start(sid: number, hooks: NodeServerHooks = {}): Promise<NodeServer> {
    const server = await NodeServer.open(this.settings(sid), hooks)
    this.servers.set(sid, server)
    return server
  }

  async startAll(): Promise<void> {
    await Promise.all(this.members.map(({ sid }) => this.start(sid)))
    await Promise.all([...this.servers.values()].map((server) => server.serving))
  }

  async stop(sid: number): Promise<void> {
    const server = this.servers.get(sid)
    this.servers.delete(sid)
    await server?.close()
  }

  /** The member that leads; undefined while there is none. */
  get leader(): number | undefined {
    for (const [sid, server] of this.servers) {
      const { role, serving } = server.status()
      if (role === 'leading' && serving) return sid
    }
    return undefined
  }

  /** A client of these members, of all by default. */
  client(...sids: readonly number[]): Promise<ZooKeeperClient> {
    const of = sids.length === 0 ? this.members.map(({ sid }) => sid) : sids
    const members = of.map((sid) => ({
      host: '127.0.0.1',
      port: this.members[Number(sid) - 1]!.clientPort!,
    }))
    return ZooKeeperClient.connect({ transport: new TcpTransport({ members }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.close()))
    rmSync(this.directory, { recursive: true, force: true })
  }
}
