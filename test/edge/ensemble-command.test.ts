/** `zabra ensemble` as a person starts it: processes, and what kill -9 does to them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { fourLetterWord } from '../interop/apache.ts'

interface Announced {
  readonly sid: number
  readonly pid: number
  readonly clientPort: number
}

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const WAIT = { timeout: 60_000, interval: 100 }
const directory = mkdtempSync(join(tmpdir(), 'zabra-ensemble-command-'))
const ended: (() => Promise<unknown>)[] = []

afterAll(async () => {
  for (const end of ended) await end()
  rmSync(directory, { recursive: true, force: true })
})

function startEnsemble(): { members: Map<number, Announced>; stop: () => Promise<unknown> } {
  const words = [
    ...['ensemble', '--data-dir', directory, '--observers', '1', '--client-port', '0'],
    ...['--client-address', '127.0.0.1', '--set', 'preAllocSize=64'],
  ]
  const script = join(TOP, 'src/edge/zabra.mjs')
  const child = spawn(process.execPath, [script, ...words], { cwd: TOP })
  const members = new Map<number, Announced>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Announced
    members.set(said.sid, said)
  })
  const gone = once(child, 'close')
  const stop = (): Promise<unknown> => {
    child.kill('SIGTERM')
    return gone
  }
  ended.push(stop)
  return { members, stop }
}

function client(...members: readonly Announced[]): Promise<ZooKeeperClient> {
  const at = members.map(({ clientPort: port }) => ({ host: '127.0.0.1', port }))
  return ZooKeeperClient.connect({ transport: new TcpTransport({ members: at }) })
}

async function leaderOf(members: ReadonlyMap<number, Announced>): Promise<Announced> {
  for (const member of members.values()) {
    const answer = await fourLetterWord(member.clientPort, 'srvr').catch(() => '')
    if (answer.includes('Mode: leader')) return member
  }
  throw new Error('nobody leads')
}

/** Creates nodes until it is stopped; returns those that were acknowledged. */
function keepWriting(client: ZooKeeperClient): { stop: () => Promise<string[]> } {
  const acknowledged: string[] = []
  const stopped = new AbortController()
  const work = (async () => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      const path = `/w${i}`
      await client.create(path).then(
        () => acknowledged.push(path),
        // Not acknowledged; it may be there all the same.
        () => new Promise((resolve) => setTimeout(resolve, 20)),
      )
    }
  })()
  return {
    stop: async () => {
      stopped.abort()
      await work
      return acknowledged
    },
  }
}

test('survives kill -9 of its leader, and loses nothing', async () => {
  const { members, stop } = startEnsemble()
  await vi.waitFor(() => expect([...members.keys()].sort()).toEqual([1, 2, 3, 4]), WAIT)
  await using writer = await client(...members.values())
  const writing = keepWriting(writer)
  const killed = await vi.waitFor(() => leaderOf(members), WAIT)
  process.kill(killed.pid, 'SIGKILL')
  // Another one leads, and the one that was killed runs again.
  await vi.waitFor(() => expect(members.get(killed.sid)!.pid).not.toBe(killed.pid), WAIT)
  const next = await vi.waitFor(() => leaderOf(members), WAIT)
  expect(next.pid).not.toBe(killed.pid)
  const acknowledged = await writing.stop()
  expect(acknowledged.length).toBeGreaterThan(0)
  for (const member of members.values()) {
    await using reader = await client(member)
    await reader.sync('/')
    expect(await reader.getChildren('/')).toEqual(expect.arrayContaining(acknowledged.map(nameOf)))
  }
  const pids = [...members.values()].map(({ pid }) => pid)
  await writer.close()
  expect(await stop()).toEqual([0, null])
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
}, 180_000)

function nameOf(path: string): string {
  return path.slice(1)
}
