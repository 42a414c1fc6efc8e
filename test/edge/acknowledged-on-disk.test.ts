/**
 * What is acknowledged is on the disk: the disk is held up, and no answer comes until it has
 * written; requests that wait meanwhile are written together (P6).
 */
import type * as FileSystem from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { eventually } from '../eventually.ts'

interface Disk {
  isHeld: boolean
  /** Calls that the disk has not begun. */
  readonly waiting: (() => void)[]
  /** Writes and syncs that ended. */
  readonly done: string[]
  /** Of each log file: was it opened so that a write that returns is on the disk? */
  readonly synchronous: Map<number, boolean>
}

const disk = vi.hoisted((): Disk => ({
  isHeld: false,
  waiting: [],
  done: [],
  synchronous: new Map(),
}))

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof FileSystem>()
  const turn = (begin: () => void): void => {
    if (disk.isHeld) disk.waiting.push(begin)
    else begin()
  }
  const openSync = (path: string, flags: string | number, mode?: number): number => {
    const fd = real.openSync(path, flags, mode)
    const always = typeof flags === 'number' && (flags & real.constants.O_DSYNC) !== 0
    if (/log\.[0-9a-f]+$/.test(path)) disk.synchronous.set(fd, always)
    return fd
  }
  const write = (...args: Parameters<typeof real.write>): void => {
    const callback = args.pop() as unknown as (...results: unknown[]) => void
    turn(() => {
      Reflect.apply(real.write, null, [
        ...args,
        (...results: unknown[]) => {
          disk.done.push(`write ${args[0]}`)
          callback(...results)
        },
      ])
    })
  }
  const writeSync = (...args: Parameters<typeof real.writeSync>): number => {
    const written: number = Reflect.apply(real.writeSync, null, args)
    if (disk.synchronous.has(args[0])) disk.done.push(`write ${args[0]}`)
    return written
  }
  const fdatasync: typeof real.fdatasync = Object.assign(
    (fd: number, callback: (error: NodeJS.ErrnoException | null) => void) => {
      turn(() =>
        real.fdatasync(fd, (error) => {
          disk.done.push(`sync ${fd}`)
          callback(error)
        }),
      )
    },
    { __promisify__: real.fdatasync.__promisify__ },
  )
  return { ...real, openSync, write, writeSync, fdatasync }
})

const directory = mkdtempSync(join(tmpdir(), 'zabra-acknowledged-'))

afterAll(() => rmSync(directory, { recursive: true }))

/** Whether the newest of these calls left nothing in a cache. */
function isDurable(): boolean {
  const last = disk.done.at(-1)?.split(' ')
  const fd = Number(last?.[1])
  return last?.[0] === 'sync' || disk.synchronous.get(fd) === true
}

async function openServer(name: string): Promise<NodeServer> {
  const dataDirectory = join(directory, name)
  const settings = { dataDirectory, clientPort: 0, clientAddress: '127.0.0.1', adminEnabled: false }
  return NodeServer.open(serverSettings(settings))
}

it('no answer before the disk has it, and many requests in one write', async () => {
  await using server = await openServer('held')
  const members = [{ host: '127.0.0.1', port: server.clientPort }]
  const transport = new TcpTransport({ members })
  await using writer = await ZooKeeperClient.connect({ transport })
  await using reader = await ZooKeeperClient.connect({ transport: new TcpTransport({ members }) })
  await writer.create('/a', '0')
  expect(isDurable()).toBe(true)

  disk.isHeld = true
  const before = disk.done.length
  let answered = 0
  const writes = Array.from({ length: 200 }, (_, number) =>
    writer.setData('/a', String(number + 1)).then(() => answered++),
  )
  await eventually(() => expect(disk.waiting.length).toBeGreaterThan(0))
  // Reads go on, and see what is on the disk only.
  for (let round = 0; round < 20; round++) {
    expect((await reader.getData('/a')).stat.version).toBe(0)
  }
  expect(answered).toBe(0)

  disk.isHeld = false
  for (const begin of disk.waiting.splice(0)) begin()
  await Promise.all(writes)
  expect(answered).toBe(200)
  expect(isDurable()).toBe(true)
  expect(disk.done.length - before).toBeLessThan(20)
  expect((await reader.getData('/a')).stat.version).toBe(200)
})

it('each of many single writes is on the disk before its answer', async () => {
  await using server = await openServer('single')
  const members = [{ host: '127.0.0.1', port: server.clientPort }]
  await using writer = await ZooKeeperClient.connect({ transport: new TcpTransport({ members }) })
  await writer.create('/a', '0')
  for (let i = 0; i < 100; i++) {
    const before = disk.done.length
    await writer.setData('/a', String(i))
    expect(disk.done.length).toBeGreaterThan(before)
    expect(isDurable()).toBe(true)
  }
})
