import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { NodeEnsemble } from './node-ensemble.ts'

const WAIT = { timeout: 30_000, interval: 50 }

describe('an ensemble over TCP', () => {
  it('serves at every member and loses nothing when its leader ends', async () => {
    await using ensemble = await NodeEnsemble.plan(3, 1)
    await ensemble.startAll()
    const leader = ensemble.leader!
    const others = [1, 2, 3].filter((sid) => sid !== leader)
    {
      await using client = await ensemble.client(others[0]!)
      await Promise.all(Array.from({ length: 50 }, (_, i) => client.create(`/n${i}`)))
      await using observer = await ensemble.client(4)
      await observer.sync('/')
      expect(await observer.exists('/n49')).not.toBeNull()
      await observer.create('/through-observer')
      expect(ensemble.servers.get(4)!.status().role).toBe('observing')
      // Every member tells the membership of its own file (D3).
      const lines = ensemble.members.map((member) => {
        const { sid, quorumPort, electionPort, role, clientPort = 0 } = member
        const at = `127.0.0.1:${quorumPort}:${electionPort}`
        return `server.${sid}=${at}:${role};127.0.0.1:${clientPort}`
      })
      const text = [...lines, 'version=0'].join('\n')
      for (const of of [client, observer]) {
        const { data, stat } = await of.getData('/zookeeper/config')
        expect(new TextDecoder().decode(data!)).toBe(text)
        expect([stat.version, stat.mzxid, stat.aversion]).toEqual([-1, 0n, -1])
      }
    }
    await ensemble.stop(leader)
    await vi.waitFor(() => expect(ensemble.leader).toBeDefined(), WAIT)
    {
      await using client = await ensemble.client(...others, 4)
      await client.sync('/')
      const names = await client.getChildren('/')
      expect(names.filter((name) => /^n\d+$/.test(name))).toHaveLength(50)
      await client.create('/after')
    }
    const back = await ensemble.start(leader)
    await back.serving
    await using client = await ensemble.client(leader)
    await client.sync('/')
    expect(await client.exists('/after')).not.toBeNull()
    expect(await client.exists('/through-observer')).not.toBeNull()
  })

  it('S2: a session goes on at another member', async () => {
    await using ensemble = await NodeEnsemble.plan(3)
    await ensemble.startAll()
    const [one, two] = [1, 2, 3].filter((sid) => sid !== ensemble.leader)
    await using client = await ensemble.client(one!, two!)
    await client.create('/mine', null, { mode: CreateMode.EPHEMERAL })
    const id = client.sessionId
    const lost = vi.fn<(state: string) => void>()
    client.onState(lost)
    // Where it was made is where it is.
    await ensemble.stop(Number(BigInt.asUintN(64, id) >> 56n))
    await vi.waitFor(() => expect(lost).toHaveBeenCalled(), WAIT)
    await vi.waitFor(() => expect(client.state).toBe('CONNECTED'), WAIT)
    expect(client.sessionId).toBe(id)
    expect(await client.exists('/mine')).toMatchObject({ ephemeralOwner: id })
  })

  it('P15, Q18: a member whose files vanished asks before it votes', async () => {
    await using ensemble = await NodeEnsemble.plan(3, 0, { createsDatabase: false })
    for (const { sid } of ensemble.members) {
      const directory = ensemble.settings(sid).dataDirectory
      mkdirSync(directory)
      writeFileSync(join(directory, 'initialize'), '')
    }
    await ensemble.startAll()
    await using client = await ensemble.client()
    await client.create('/kept')
    for (const { sid } of ensemble.members) await ensemble.stop(sid)
    rmSync(ensemble.settings(3).dataDirectory, { recursive: true })
    const emptied = await ensemble.start(3)
    expect(emptied.status().whyNotServing).toContain('does not vote until a leader')
    await Promise.all([ensemble.start(1), ensemble.start(2)])
    await emptied.serving
    await using reader = await ensemble.client(3)
    await reader.sync('/')
    expect(await reader.exists('/kept')).not.toBeNull()
  })

  it('lets in nobody whom the configuration does not name', async () => {
    await using ensemble = await NodeEnsemble.plan(1, 1)
    const refused: string[] = []
    await ensemble.start(1, { onRefused: (_address, reason) => refused.push(reason) })
    const { electionPort, quorumPort } = ensemble.members[0]!
    const stranger = new Uint8Array(35)
    stranger.fill(0xff, 0, 6)
    stranger[15] = 77
    stranger[19] = 15
    await Promise.all([
      closed(electionPort, stranger),
      closed(electionPort, new Uint8Array(20).fill(0xff)),
      closed(quorumPort, new Uint8Array(40).fill(0x7f)),
    ])
    expect(refused).toHaveLength(3)
    expect(refused).toContain('server 77 is no member to be linked to')
  })
})

function closed(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', () => reject(new Error('it was answered')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
}
