/** A directory as Apache ZooKeeper 3.8.0 leaves it, from recorded bytes (test/interop/frames). */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStorage } from '../../../src/adapters/files/storage.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { toZxid } from '../../../src/core/base/zxid.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import { restoreTree } from '../../../src/core/tree/snapshot.ts'
import { loadRecording } from '../../interop/frame-file.ts'

const { frames } = loadRecording('files')
const ENTRIES = frames.filter(({ what }) => what === 'log-entry').map(({ bytes }) => bytes)
const HEADER = frames.find(({ what }) => what === 'log-header')!.bytes
const SNAPSHOT = frames.find(({ what }) => what === 'snapshot')!.bytes
/** The rest of a file that was made long enough beforehand (P5). */
const ROOM = new Uint8Array(4096)

let directory = ''
let folder = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-apache-'))
  folder = join(directory, 'version-2')
  mkdirSync(folder)
})

afterEach(() => rmSync(directory, { recursive: true }))

function put(name: string, ...parts: readonly Uint8Array[]): void {
  writeFileSync(join(folder, name), concat(parts))
}

function open(): FileStorage {
  return new FileStorage({ dataDirectory: directory, token: 'test', preallocateBytes: 4096 })
}

describe('a directory of Apache ZooKeeper', () => {
  it('gives every transaction, and the epochs that no file names (Q67)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('log.1', HEADER, ...ENTRIES, ROOM)
    const recovered = await open().recover()
    expect(recovered).toMatchObject({ acceptedEpoch: 0, currentEpoch: 0, droppedTail: 0 })
    expect(recovered.log).toHaveLength(ENTRIES.length)
    const tree = restoreTree(recovered.snapshot!.chunks, { zxid: recovered.snapshot!.zxid })
    for (const { entry } of recovered.log) {
      const { header, txn } = decodeTxn(entry)
      tree.applyTxn(header, txn, null)
    }
    expect(tree.digest).toBe(restoreTree([SNAPSHOT], { zxid: tree.lastProcessed }).digest)
  })

  it('writes the same bytes for the same entries', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('log.1', HEADER, ...ENTRIES)
    const storage = open()
    const { log } = await storage.recover()
    const copy = new FileStorage({
      dataDirectory: join(directory, 'copy'),
      token: 'copy',
      preallocateBytes: 0,
    })
    await copy.recover()
    await copy.pinFounding(new Uint8Array([1]), emptySnapshotChunk())
    await copy.write(log.map((entry) => ({ kind: 'append', ...entry })))
    await copy.close()
    const written = readFileSync(join(directory, 'copy', 'version-2', 'log.1'))
    expect(new Uint8Array(written)).toEqual(concat([HEADER, ...ENTRIES]))
  })

  it('is taken over as it is: record and epochs, nothing of it rewritten', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('log.1', HEADER, ...ENTRIES)
    const storage = open()
    await storage.recover()
    await storage.pinFounding(new Uint8Array([7]), emptySnapshotChunk())
    expect((await storage.meta()).founding).toEqual(new Uint8Array([7]))
    expect((await storage.recover()).log).toHaveLength(ENTRIES.length)
  })

  it('falls back to an older snapshot when the newest is not whole (P14)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('snapshot.5', SNAPSHOT.subarray(0, -3))
    put('log.1', HEADER, ...ENTRIES)
    const recovered = await open().recover()
    expect([recovered.snapshot?.zxid, recovered.log.length]).toEqual([0n, ENTRIES.length])
  })

  it('refuses logs without any snapshot (P15), and says what to do', async () => {
    put('log.1', HEADER, ...ENTRIES)
    await expect(open().recover()).rejects.toThrow(/no snapshot.*restore one/)
  })

  it('an entry that stops short was never acknowledged: it is cut off (P4)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('log.1', HEADER, ...ENTRIES.slice(0, -1), ENTRIES.at(-1)!.subarray(0, -2))
    const recovered = await open().recover()
    expect([recovered.log.length, recovered.droppedTail]).toEqual([ENTRIES.length - 1, 0])
    const whole = concat([HEADER, ...ENTRIES.slice(0, -1)])
    expect(readFileSync(join(folder, 'log.1'))).toHaveLength(whole.length)
  })

  it('an empty last file goes, as ZooKeeper deletes it (P5)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    put('log.1', HEADER, ...ENTRIES)
    put('log.ffff', ROOM)
    expect((await open().recover()).log).toHaveLength(ENTRIES.length)
    expect(readdirSync(folder)).not.toContain('log.ffff')
  })

  it("a leader's snapshot that a crash interrupted is carried through", async () => {
    const storage = open()
    await storage.recover()
    await storage.pinFounding(new Uint8Array([1]), emptySnapshotChunk())
    const { log } = await (async () => {
      put('log.1', HEADER, ...ENTRIES)
      return storage.recover()
    })()
    expect(log.length).toBe(ENTRIES.length)
    await storage.write([{ kind: 'snapshot-chunk', id: 4, index: 0, bytes: SNAPSHOT }])
    await storage.close()
    // The announcement is the last thing that got to the disk.
    put('staged.4', SNAPSHOT)
    const path = join(folder, 'zabra.json')
    const content = JSON.parse(readFileSync(path, 'utf8')) as object
    const installing = { zxid: '200000007', staged: 'staged.4', currentEpoch: 2 }
    writeFileSync(path, JSON.stringify({ ...content, installing }))
    const recovered = await open().recover()
    expect(recovered).toMatchObject({ currentEpoch: 2, snapshot: { zxid: 0x200000007n }, log: [] })
    expect(readdirSync(folder).filter((name) => /^(log|staged|snapshot)/.test(name))).toEqual([
      'snapshot.200000007',
    ])
  })
})

describe('snapshots', () => {
  it('whose checksum does not fit are not taken, whatever their end says (P14)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    const damaged = SNAPSHOT.slice()
    damaged[100]! ^= 1
    put('snapshot.5', damaged)
    put('log.1', HEADER, ...ENTRIES)
    const recovered = await open().recover()
    expect([recovered.snapshot?.zxid, recovered.log.length]).toEqual([0n, ENTRIES.length])
  })

  it('that are packed are read (P10)', async () => {
    put('snapshot.5.gz', new Uint8Array(gzipSync(SNAPSHOT)))
    const { snapshot } = await open().recover()
    expect(snapshot).toEqual({ zxid: 5n, chunks: [SNAPSHOT] })
  })

  it('that are not whole count for none of those kept (P18)', async () => {
    put('snapshot.0', emptySnapshotChunk())
    const storage = open()
    await storage.recover()
    // As Apache ZooKeeper leaves one when it is killed.
    for (const zxid of ['8', '9', 'a']) put(`snapshot.${zxid}`)
    await storage.write([{ kind: 'snapshot-chunk', id: 1, index: 0, bytes: SNAPSHOT }])
    await storage.write([
      { kind: 'snapshot-commit', id: 1, zxid: toZxid(11n), chunks: 1, install: false },
    ])
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['snapshot.0', 'snapshot.b']))
  })
})
