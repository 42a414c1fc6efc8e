/** Servers with several addresses (multiAddress.enabled, ZOOKEEPER-3188). */
import { expect, test } from 'vitest'
import { ownPorts } from '../own-ports.ts'
import { addressText, configText } from '../../src/adapters/tcp/quorum-member.ts'
import { readZooCfg } from '../../src/edge/config/zoo-cfg.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import type { EnsembleMember, ServerSettings } from '../../src/edge/settings.ts'
import { NodeEnsemble } from './node-ensemble.ts'

const LIMIT_MS = 120_000

function read(lines: readonly string[]): ServerSettings {
  const text = ['dataDir=/d', 'clientPort=2181', 'initLimit=10', 'syncLimit=5', ...lines]
  return readZooCfg({
    path: 'zoo.cfg',
    text: text.join('\n'),
    properties: new Map(),
    readText: (path) => (path === '/d/myid' ? '1' : null),
  }).settings
}

test('the list may give them, if that is asked for', () => {
  const list = ['server.1=a:1:2|[::1]:3:4:observer;2181', 'server.2=b:1:2', 'server.3=c:1:2']
  expect(() => read(list)).toThrow(/server\.1 has several addresses.*multiAddress\.enabled=true/)
  const enabled = 'multiAddress.enabled=true'
  const [first] = read([...list, enabled]).members
  expect(first).toMatchObject({
    role: 'observer',
    host: 'a',
    otherAddresses: [{ host: '::1', quorumPort: 3, electionPort: 4 }],
  })
  expect(addressText(first!)).toBe('a:1:2|[::1]:3:4')
  const text = configText([first!])
  expect(text).toContain('server.1=a:1:2|[::1]:3:4:observer;0.0.0.0:2181\n')
  const mixed = 'server.4=a:1:2:observer|b:1:2:participant'
  expect(() => read([...list, enabled, mixed])).toThrow(/the same role/)
})

test(
  'where the first one is dead the other one is taken, for elections and for data',
  async () => {
    await using ensemble = await NodeEnsemble.plan(3)
    const dead = await ownPorts(2)
    const [quorumPort = 0, electionPort = 0] = dead
    // As each sees it: of the others, the network that comes first is cut.
    const seenBy = (sid: number): readonly EnsembleMember[] =>
      ensemble.members.map((member) => {
        if (member.sid === sid) return member
        const { host, quorumPort: quorum, electionPort: election } = member
        const other = { host, quorumPort: quorum, electionPort: election }
        return { ...member, quorumPort, electionPort, otherAddresses: [other] }
      })
    const servers = await Promise.all(
      [1, 2, 3].map((sid) =>
        NodeServer.open({ ...ensemble.settings(sid), members: seenBy(sid) }, {}),
      ),
    )
    try {
      await Promise.all(servers.map((server) => server.serving))
      await using client = await ensemble.client(1)
      await client.create('/a', 'over the second network')
      await using other = await ensemble.client(3)
      await other.sync('/a')
      expect((await other.getData('/a')).stat.version).toBe(0)
    } finally {
      await Promise.all(servers.map((server) => server.close()))
    }
  },
  LIMIT_MS,
)
