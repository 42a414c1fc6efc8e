/** `zabra ensemble` as a person starts it: processes, and what kill -9 does to them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { fourLetterWord } from '../interop/apache.ts'

interface Announced {
  readonly sid: number
  readonly pid: number
  readonly clientPort: number
}

const TOP = fileURLToPath(new URL('../..', import.meta.url))
/** Longer than it takes to miss a member, two of its ticks of 500 ms or 1.2 s. */
const HANG_MS = 1_500
const WAIT = { timeout: 60_000, interval: 100 }
const directory = mkdtempSync(join(tmpdir(), 'zabra-ensemble-command-'))
const ended: (() => Promise<unknown>)[] = []

afterAll(async () => {
  for (const end of ended) await end()
  rmSync(directory, { recursive: true, force: true })
})

interface Started {
  readonly members: Map<number, Announced>
  readonly stop: (signal?: NodeJS.Signals) => Promise<unknown>
}

function startEnsemble(): Started {
  const words = [
    ...['ensemble', '--data-dir', directory, '--observers', '1', '--client-port', '0'],
    ...['--client-address', '127.0.0.1', '--set', 'preAllocSize=64', '--set', 'tickTime=500'],
    // A session whose only member hangs lasts until that one is back.
    ...['--set', 'maxSessionTimeout=60000'],
  ]
  const script = join(TOP, 'src/edge/zabra.mjs')
  const child = spawn(process.execPath, [script, ...words], { cwd: TOP })
  const members = new Map<number, Announced>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Announced
    members.set(said.sid, said)
  })
  const gone = once(child, 'close')
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> => {
    child.kill(signal)
    return gone
  }
  ended.push(stop)
  return { members, stop }
}

let ensemble: Started

beforeAll(async () => {
  ensemble = startEnsemble()
  await vi.waitFor(() => expect([...ensemble.members.keys()].sort()).toEqual([1, 2, 3, 4]), WAIT)
}, 60_000)

function client(...members: readonly Announced[]): Promise<ZooKeeperClient> {
  const at = members.map(({ clientPort: port }) => ({ host: '127.0.0.1', port }))
  return ZooKeeperClient.connect({ transport: new TcpTransport({ members: at }) })
}

async function textAt(client: ZooKeeperClient, path: string): Promise<string> {
  return new TextDecoder().decode((await client.getData(path)).data ?? undefined)
}

async function modeOf({ clientPort }: Announced): Promise<string> {
  const answer = await fourLetterWord(clientPort, 'srvr').catch(() => '')
  return /^Mode: (.*)$/m.exec(answer)?.[1] ?? 'none'
}

async function memberThatIs(mode: string, members: Iterable<Announced>): Promise<Announced> {
  for (const member of members) if ((await modeOf(member)) === mode) return member
  throw new Error(`nobody is ${mode}`)
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

test.each(['leader', 'follower'] as const)(
  'goes on while its %s hangs, which then answers with nothing old',
  async (role) => {
    const { members } = ensemble
    const hung = await vi.waitFor(() => memberThatIs(role, members.values()), WAIT)
    const others = [...members.values()].filter(({ sid }) => sid !== hung.sid)
    await using reader = await client(hung)
    await using writer = await client(...others)
    const path = `/while-${role}-hangs`
    // On two busy cores a member may lose its place for a moment, and its clients their answers.
    await vi.waitFor(async () => (await reader.exists(path)) ?? reader.create(path, 'old'), WAIT)
    process.kill(hung.pid, 'SIGSTOP')
    let answered: Promise<string>
    try {
      // Waits in the socket of a process that does not read.
      answered = textAt(reader, path).catch((error: unknown) => String(error))
      await vi.waitFor(async () => writer.setData(path, 'new'), WAIT)
      // Longer than it takes to miss it: it wakes in an ensemble that has done without it.
      await vi.waitFor(() => memberThatIs('leader', others), WAIT)
      await sleep(HANG_MS)
    } finally {
      process.kill(hung.pid, 'SIGCONT')
    }
    // Lost with its connection, or asked again when the member was one of the ensemble again.
    expect(await answered).not.toBe('old')
    await vi.waitFor(async () => expect(await textAt(reader, path)).toBe('new'), WAIT)
    const all = ['follower', 'follower', 'leader', 'observer']
    await vi.waitFor(async () => {
      expect((await Promise.all([...members.values()].map(modeOf))).sort()).toEqual(all)
    }, WAIT)
  },
  120_000,
)

test('survives kill -9 of its leader, and loses nothing', async () => {
  const { members, stop } = ensemble
  await using writer = await client(...members.values())
  const writing = keepWriting(writer)
  const killed = await vi.waitFor(() => memberThatIs('leader', members.values()), WAIT)
  process.kill(killed.pid, 'SIGKILL')
  // Another one leads, and the one that was killed runs again.
  await vi.waitFor(() => expect(members.get(killed.sid)!.pid).not.toBe(killed.pid), WAIT)
  const next = await vi.waitFor(() => memberThatIs('leader', members.values()), WAIT)
  expect(next.pid).not.toBe(killed.pid)
  const acknowledged = await writing.stop()
  expect(acknowledged.length).toBeGreaterThan(0)
  for (const member of members.values()) {
    await using reader = await client(member)
    const names = await vi.waitFor(async () => {
      await reader.sync('/')
      return reader.getChildren('/')
    }, WAIT)
    expect(names).toEqual(expect.arrayContaining(acknowledged.map(nameOf)))
  }
  const pids = [...members.values()].map(({ pid }) => pid)
  await writer.close()
  expect(await stop()).toEqual([0, null])
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
}, 180_000)

test('ends with its starter, although that one was killed', async () => {
  const { members, stop } = startEnsemble()
  await vi.waitFor(() => expect(members.size).toBe(4), WAIT)
  const ends = [...members.values()].map(async ({ pid, clientPort }) => {
    const isGone = (): void => expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await vi.waitFor(isGone, WAIT)
    await expect(fourLetterWord(clientPort, 'srvr')).rejects.toThrow()
  })
  await stop('SIGKILL')
  await Promise.all(ends)
}, 120_000)

function nameOf(path: string): string {
  return path.slice(1)
}
