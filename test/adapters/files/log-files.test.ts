/** Which files there are, how long they are, and when they are on the disk (P1, P5–P7, P18). */
import {
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DiskPace } from '../../../src/adapters/files/disk-pace.ts'
import { readLogFile } from '../../../src/adapters/files/log-format.ts'
import { FileStorage, type FileStorageOptions } from '../../../src/adapters/files/storage.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { encode } from '../../../src/core/jute/record.ts'
import { txnHeaderRecord } from '../../../src/core/jute/txn-records.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import type { PersistEffect } from '../../../src/core/zab/effect.ts'

const ENTRY_BYTES = 1_000
const STEP = 16 * 1024

let home = ''

beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'zabra-log-files-'))))
afterEach(() => rmSync(home, { recursive: true }))

async function open(options: Partial<FileStorageOptions> = {}): Promise<FileStorage> {
  const dataDirectory = join(home, 'data')
  const storage = new FileStorage({ dataDirectory, token: 't', preallocateBytes: STEP, ...options })
  await storage.recover()
  await storage.pinFounding(new Uint8Array([1]), emptySnapshotChunk())
  return storage
}

function appends(first: number, last: number): PersistEffect[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const zxid = makeZxid(1, first + index)
    const header = encode(txnHeaderRecord, { clientId: 1n, cxid: 1, zxid, time: 0, type: -1 })
    return { kind: 'append', zxid, entry: concat([header, new Uint8Array(ENTRY_BYTES)]) }
  })
}

function snapshot(id: number, counter: number): PersistEffect[] {
  const bytes = emptySnapshotChunk()
  const commit = { id, zxid: makeZxid(1, counter), chunks: 1, install: false } as const
  return [
    { kind: 'snapshot-chunk', id, index: 0, bytes },
    { kind: 'snapshot-commit', ...commit },
  ]
}

function files(folder: string, kind: string): string[] {
  const all = readdirSync(join(home, folder, 'version-2'))
  return all.filter((name) => name.startsWith(kind)).sort()
}

function sizeOf(name: string): number {
  return statSync(join(home, 'data/version-2', name)).size
}

test('logs may be in a directory of their own, snapshots and epochs stay (P1)', async () => {
  const logDirectory = join(home, 'log')
  const storage = await open({ logDirectory })
  await storage.write(appends(1, 3))
  await storage.close()
  expect([files('log', 'log'), files('data', 'log')]).toEqual([['log.100000001'], []])
  expect(files('log', '')).toEqual(['log.100000001'])
  expect(files('data', 'snapshot')).toEqual(['snapshot.0'])
  expect(files('data', 'currentEpoch')).toEqual(['currentEpoch'])
  const again = await open({ logDirectory })
  expect((await again.recover()).log).toHaveLength(3)
  await again.close()
})

test('room is made in steps before it is needed, zeros; what is left goes (P5)', async () => {
  const storage = await open()
  const sizes: number[] = []
  for (let i = 1; i <= 30; i += 5) {
    await storage.write(appends(i, i + 4))
    sizes.push(sizeOf('log.100000001') / STEP)
  }
  // Five entries are 5 kB; 4 kB stay free at least.
  expect(sizes).toEqual([1, 1, 2, 2, 2, 3])
  const bytes = readFileSync(join(home, 'data/version-2/log.100000001'))
  expect(bytes.subarray(-4096).every((byte) => byte === 0)).toBe(true)
  await storage.close()
  expect(sizeOf('log.100000001')).toBeLessThan(2 * STEP)
})

test('entries are on the disk when acknowledged, unless forceSync is off (P6)', async () => {
  for (const forceSync of [true, false]) {
    const storage = await open({ forceSync })
    const first = forceSync ? 1 : 2
    await storage.write(appends(first, first))
    // Elsewhere they are synced one by one, which leaves no trace.
    if (process.platform === 'linux') expect(isSynchronous(`log.10000000${first}`)).toBe(forceSync)
    await storage.close()
  }
})

test('a write that is waited for is on the disk before anything else runs', async () => {
  const pace = new DiskPace({ nowMs: () => 0, idleMs: () => 0 })
  const storage = await open({ pace })
  await storage.write(appends(1, 2))
  for (let i = 3; i <= 20; i++) await storage.write(appends(i, i))
  let isDone = false
  void storage.write(appends(21, 21)).then(() => (isDone = true))
  // Microtasks only: no thread's answer can come between.
  for (let i = 0; i < 20; i++) await Promise.resolve()
  expect(isDone).toBe(true)
  if (process.platform === 'linux') expect(isSynchronous('log.100000001')).toBe(true)
  const bytes = readFileSync(join(home, 'data/version-2/log.100000001'))
  expect(readLogFile(bytes).entries.at(-1)?.zxid).toBe(makeZxid(1, 21))
  await storage.close()
})

/** Whether a write to that file, which this process has open, waits for the disk. */
function isSynchronous(name: string): boolean {
  const fd = readdirSync('/proc/self/fd').find((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).endsWith(`/${name}`)
    } catch {
      return false
    }
  })
  const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd ?? ''}`, 'utf8'))?.[1]
  return (parseInt(flags ?? '', 8) & constants.O_DSYNC) !== 0
}

test('a sync that took too long is told (P6)', async () => {
  let nowMs = 0
  const told: number[] = []
  const storage = await open({ now: () => (nowMs += 700), onSlowSync: (ms) => told.push(ms) })
  await storage.write(appends(1, 1))
  expect(told).toEqual([])
  const slow = await open({ now: () => (nowMs += 1_500), onSlowSync: (ms) => told.push(ms) })
  await slow.write(appends(2, 2))
  expect(told).toEqual([1_500])
  await slow.close()
})

test('a log begins anew after a snapshot and at a size, named by its first (P7)', async () => {
  const storage = await open({ logFileBytes: 3 * ENTRY_BYTES })
  await storage.write(appends(1, 2))
  await storage.write(snapshot(1, 2))
  for (let i = 3; i <= 9; i++) await storage.write(appends(i, i))
  expect(files('data', 'log')).toEqual([
    'log.100000001',
    'log.100000003',
    'log.100000006',
    'log.100000009',
  ])
  await storage.close()
  const again = await open()
  expect((await again.recover()).log).toHaveLength(7)
  await again.close()
})

test('the newest three snapshots stay, with every log that they need (P18)', async () => {
  const storage = await open()
  for (let i = 1; i <= 5; i++) {
    await storage.write(appends(10 * i, 10 * i + 9))
    // In the middle of the log, which the oldest of them needs from there on.
    await storage.write(snapshot(i, 10 * i + 4))
  }
  await storage.close()
  expect(files('data', 'snapshot')).toEqual([
    'snapshot.100000022',
    'snapshot.10000002c',
    'snapshot.100000036',
  ])
  expect(files('data', 'log')).toEqual(['log.10000001e', 'log.100000028', 'log.100000032'])
})

test('all of them stay when nothing is to be purged (P18)', async () => {
  const storage = await open({ snapshotsRetained: null })
  for (let i = 1; i <= 5; i++) {
    await storage.write([...appends(i, i), ...snapshot(i, i)])
  }
  await storage.close()
  expect(files('data', 'snapshot')).toHaveLength(6)
  expect(files('data', 'log')).toHaveLength(5)
})
