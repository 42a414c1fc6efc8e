import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { MemoryStorage } from '../../../src/adapters/memory/storage.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import type { AppendEffect } from '../../../src/core/zab/effect.ts'
import { StorageError } from '../../../src/ports/storage.ts'
import { STORAGE_CONTRACT } from '../../contracts/storage-contract.ts'
import type { StorageHarness } from '../../contracts/storage-samples.ts'

function harness(): StorageHarness {
  const disk = new MemoryDisk()
  let starts = 0
  return {
    open: async () => new MemoryStorage(disk, { token: `token${++starts}` }),
    crash: async () => disk.crash(),
    tearTail: async () => disk.tearTail(),
    corruptLog: async () => disk.corruptLog(),
  }
}

describe('the storage contract in memory', () => {
  for (const { name, run } of STORAGE_CONTRACT) it(name, () => run(harness()))
})

const ENTRY: AppendEffect = { kind: 'append', zxid: makeZxid(1, 1), entry: new Uint8Array(10) }

async function foundedOn(disk: MemoryDisk, quotaBytes?: number): Promise<MemoryStorage> {
  const storage = new MemoryStorage(disk, {
    token: 'token',
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  })
  await storage.recover()
  await storage.pinFounding(new Uint8Array(1), new Uint8Array(1))
  return storage
}

describe('faults of a memory disk', () => {
  it('loses a write that was in flight when the power went', async () => {
    const disk = new MemoryDisk()
    let letGo = (): void => undefined
    const slow = new Promise<void>((resolve) => {
      letGo = resolve
    })
    disk.claim('before')
    disk.pinFoundingSync(new Uint8Array(1), new Uint8Array(1))
    const storage = new MemoryStorage(disk, { token: 'slow', beforeWrite: () => slow })
    const writing = storage.write([ENTRY])
    disk.crash()
    letGo()
    await expect(writing).rejects.toMatchObject({ code: 'closed' })
    expect(disk.recoverSync().log).toEqual([])
  })

  it('fails for good when it is full', async () => {
    const storage = await foundedOn(new MemoryDisk(), 15)
    await storage.write([ENTRY])
    const second = { ...ENTRY, zxid: makeZxid(1, 2) }
    await expect(storage.write([second])).rejects.toMatchObject({ code: 'quota' })
    await expect(storage.write([])).rejects.toMatchObject({ code: 'quota' })
    expect((await storage.failed).code).toBe('quota')
  })

  it('says wiped, to the holder and to the next start', async () => {
    const disk = new MemoryDisk()
    const storage = await foundedOn(disk)
    disk.wipe()
    await expect(storage.write([ENTRY])).rejects.toMatchObject({ code: 'wiped' })
    expect(() => new MemoryStorage(disk, { token: 'next' })).toThrow(StorageError)
  })

  it('rolls back to a clone, start chain included', async () => {
    const disk = new MemoryDisk()
    const storage = await foundedOn(disk)
    const backup = disk.clone()
    await storage.write([ENTRY])
    const before = disk.metaSync().startChain
    disk.claim('a later start')
    disk.restore(backup)
    expect(disk.recoverSync().log).toEqual([])
    expect(disk.metaSync().startChain).toEqual(before)
  })

  it('retains the log from the oldest retained snapshot on', () => {
    const disk = new MemoryDisk()
    disk.pinFoundingSync(new Uint8Array(1), new Uint8Array(1))
    for (let i = 1; i <= 5; i++) {
      const bytes = Uint8Array.of(i)
      disk.apply([
        { kind: 'append', zxid: makeZxid(1, i), entry: bytes },
        { kind: 'snapshot-chunk', id: i, index: 0, bytes },
        { kind: 'snapshot-commit', id: i, zxid: makeZxid(1, i), chunks: 1, install: false },
      ])
    }
    expect(disk.recoverSync()).toMatchObject({ log: [], snapshot: { zxid: makeZxid(1, 5) } })
  })
})
