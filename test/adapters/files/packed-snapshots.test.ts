/** Packed snapshots (P10): both ways, by their names, whatever is written now. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SnapshotPacking } from '../../../src/adapters/files/file-names.ts'
import { packSnappy, SNAPPY_HEADER, unpackSnappy } from '../../../src/adapters/files/snappy.ts'
import { FileStorage } from '../../../src/adapters/files/storage.ts'
import { concat, equal } from '../../../src/core/base/bytes.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { encodeTxn } from '../../../src/core/jute/txn.ts'
import { toZxid } from '../../../src/core/base/zxid.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import type { Recovered } from '../../../src/ports/storage.ts'

const HEADER = { clientId: 0n, cxid: 0, zxid: 1n, time: 0, type: -1 }
const ENTRY = encodeTxn(HEADER, { kind: 'error', err: -101 })

let directory = ''
let folder = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-packed-'))
  folder = join(directory, 'version-2')
  mkdirSync(folder)
})

afterEach(() => rmSync(directory, { recursive: true }))

function open(more: Partial<ConstructorParameters<typeof FileStorage>[0]> = {}): FileStorage {
  return new FileStorage({
    dataDirectory: directory,
    token: 'test',
    preallocateBytes: 4096,
    snapshotsRetained: null,
    ...more,
  })
}

async function using(
  packing: SnapshotPacking,
  use: (storage: FileStorage) => Promise<void>,
): Promise<Recovered> {
  const storage = open({ snapshotPacking: packing })
  const recovered = await storage.recover()
  await use(storage)
  await storage.close()
  return recovered
}

function snapshots(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('snapshot'))
}

/** Chunks as a large tree makes them: much of it the same, some of it not. */
function chunks(): Uint8Array[] {
  const chance = new Prng(7)
  return Array.from({ length: 5 }, () =>
    Uint8Array.from({ length: 100_000 }, (_, i) => (i % 100 < 20 ? chance.int(256) : i % 50)),
  )
}

async function write(storage: FileStorage, zxid: bigint, install: boolean): Promise<void> {
  const parts = chunks()
  await storage.write([
    ...parts.map((bytes, index) => ({ kind: 'snapshot-chunk' as const, id: 1, index, bytes })),
    {
      kind: 'snapshot-commit' as const,
      id: 1,
      zxid: toZxid(zxid),
      chunks: parts.length,
      install,
    },
  ])
}

describe('snapshot.compression.method', () => {
  test.each(['gz', 'snappy'] as const)(
    '%s: a snapshot is smaller, and read again',
    async (kind) => {
      await using(kind, (storage) => storage.pinFounding(new Uint8Array(1), emptySnapshotChunk()))
      expect(snapshots()).toEqual([`snapshot.0.${kind}`])
      await using(kind, (storage) => write(storage, 5n, false))
      const packed = readFileSync(join(folder, `snapshot.5.${kind}`))
      const whole = concat(chunks())
      expect(packed.length).toBeLessThan(whole.length * 0.8)
      // Another setting reads it just the same.
      const { snapshot } = await using('plain', async () => undefined)
      expect(snapshot?.zxid).toBe(5n)
      expect(equal(concat(snapshot?.chunks ?? []), whole)).toBe(true)
    },
  )

  test('a snapshot of the leader replaces those of every kind', async () => {
    await using('gz', (storage) => storage.pinFounding(new Uint8Array(1), emptySnapshotChunk()))
    await using('snappy', (storage) => write(storage, 5n, false))
    await using('plain', (storage) => write(storage, 6n, false))
    expect(snapshots()).toEqual(['snapshot.0.gz', 'snapshot.5.snappy', 'snapshot.6'])
    await using('gz', (storage) => write(storage, 9n, true))
    expect(snapshots()).toEqual(['snapshot.9.gz'])
  })

  test.each(['gz', 'snappy'] as const)('%s: one that was cut off is passed over', async (kind) => {
    await using(kind, (storage) => storage.pinFounding(new Uint8Array(1), emptySnapshotChunk()))
    await using(kind, (storage) => write(storage, 5n, false))
    const path = join(folder, `snapshot.5.${kind}`)
    writeFileSync(path, readFileSync(path).subarray(0, -20))
    const { snapshot } = await using(kind, async () => undefined)
    expect(snapshot?.zxid).toBe(0n)
  })
})

describe('snappy', () => {
  test('gives back what it packed, of every length and kind', () => {
    const chance = new Prng(3)
    for (let i = 0; i < 100; i++) {
      const length = chance.int(i % 20 === 0 ? 70_000 : 300)
      const kinds = 1 + chance.int(256)
      const bytes = Uint8Array.from({ length }, () => chance.int(kinds))
      const packed = concat([SNAPPY_HEADER, ...packSnappy(bytes)])
      const read = unpackSnappy(packed)
      if (length > 0) expect(equal(concat(read ?? []), bytes)).toBe(true)
    }
  })

  test('survives any bytes behind the header', () => {
    const chance = new Prng(4)
    for (let i = 0; i < 2_000; i++) {
      const bytes = Uint8Array.from({ length: chance.int(40) }, () => chance.int(256))
      const length = Uint8Array.of(0, 0, 0, bytes.length)
      expect(() => unpackSnappy(concat([SNAPPY_HEADER, length, bytes]))).not.toThrow()
    }
  })
})

describe('snapshot.trust.empty', () => {
  async function logsAlone(): Promise<void> {
    await using('plain', (storage) => storage.pinFounding(new Uint8Array(1), emptySnapshotChunk()))
    await using('plain', (storage) =>
      storage.write([{ kind: 'append', zxid: toZxid(1n), entry: ENTRY }]),
    )
    rmSync(join(folder, 'snapshot.0'))
  }

  test('off, logs without a snapshot are refused (P15)', async () => {
    await logsAlone()
    await expect(open().recover()).rejects.toThrow('no snapshot (P15)')
  })

  test('on, they begin with the empty tree, from then on for everybody', async () => {
    await logsAlone()
    const trusting = open({ trustedEmptySnapshot: emptySnapshotChunk() })
    const { snapshot, log } = await trusting.recover()
    expect([snapshot?.zxid, log.length]).toEqual([0n, 1])
    await trusting.close()
    expect((await using('plain', async () => undefined)).log).toHaveLength(1)
  })

  test('on, it makes nothing of an empty directory', async () => {
    const trusting = open({ trustedEmptySnapshot: emptySnapshotChunk() })
    expect((await trusting.recover()).snapshot).toBe(null)
    await trusting.close()
  })
})
