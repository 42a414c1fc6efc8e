/** `zabra log` and `zabra snapshot` on directories that a bad disk has had in its hands. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { logHeader } from '../../../src/adapters/files/log-format.ts'
import { FileStorage } from '../../../src/adapters/files/storage.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { fixLog, runLog } from '../../../src/edge/tools/log-command.ts'
import { runSnapshot } from '../../../src/edge/tools/snapshot-command.ts'
import { loadRecording } from '../../interop/frame-file.ts'

const { frames } = loadRecording('files')
const ENTRIES = frames.filter(({ what }) => what === 'log-entry').map(({ bytes }) => bytes)
const SNAPSHOT = frames.find(({ what }) => what === 'snapshot')!.bytes
const LOG = concat([logHeader(), ...ENTRIES])
/** Of the entry with this number, from 0. */
const START = (index: number): number =>
  ENTRIES.slice(0, index).reduce((sum, { length }) => sum + length, logHeader().length)

let directory = ''
let folder = ''
let said = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-log-'))
  folder = join(directory, 'version-2')
  mkdirSync(folder)
  put('snapshot.0', emptySnapshotChunk())
  said = ''
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text)
      return true
    })
  }
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
})

function put(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes)
}

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)))
}

/** `offset` from the beginning of the entry: 20 is inside of its header, 4 its checksum. */
function damagedAt(index: number, offset: number): Uint8Array {
  const bytes = LOG.slice()
  bytes[START(index) + offset]! ^= 0xff
  return bytes
}

async function recovered(): Promise<number> {
  const storage = new FileStorage({ dataDirectory: directory, token: 't', damagedTail: 'refuse' })
  const { log, droppedTail } = await storage.recover()
  await storage.close()
  expect(droppedTail).toBe(0)
  return log.length
}

/** Answers, one after the other; an unexpected question ends the test. */
function answers(...given: string[]): (question: string) => Promise<string> {
  return (question) => {
    said += question
    const answer = given.shift()
    return answer === undefined ? Promise.reject(new Error(question)) : Promise.resolve(answer)
  }
}

describe('zabra log', () => {
  it('prints every transaction, and as JSON', async () => {
    put('log.1', LOG)
    expect(await runLog([directory])).toBe(0)
    expect(said).toContain(`EOF reached after ${ENTRIES.length} txns.`)
    expect(said).toMatch(/ session 0x[0-9a-f]+ cxid 0x1 zxid 0x2 create \/p,data,\[31,s/)
    said = ''
    expect(await runLog(['--json', join(folder, 'log.1')])).toBe(0)
    const rows = said.trim().split('\n')
    expect(rows.map((row) => (JSON.parse(row) as { op: string }).op)).toContain('createContainer')
  })

  it('verifies: a torn end is none, damage has a place', async () => {
    put('log.1', LOG.subarray(0, -3))
    expect(await runLog(['--verify', directory])).toBe(0)
    expect(said).toContain('nothing was acknowledged')
    put('log.1', damagedAt(3, 4))
    expect(await runLog(['--verify', directory])).toBe(1)
    expect(said).toContain(`damaged at byte ${START(3)}`)
  })

  it('says what is wrong with what it is given', async () => {
    expect(await runLog([])).toBe(2)
    expect(await runLog(['--dump', '--fix', directory])).toBe(2)
    expect(await runLog([join(directory, 'none')])).toBe(1)
    expect(said).toContain('is not there')
    put('log.1', new Uint8Array(64).fill(7))
    expect(await runLog([directory])).toBe(1)
    expect(said).toContain('is no transaction log')
  })
})

describe('zabra log --fix', () => {
  it('keeps what can be read, after a yes, and the old file beside it', async () => {
    const damaged = damagedAt(3, 4)
    put('log.1', damaged)
    await expect(recovered()).rejects.toThrow('zabra log')
    expect(await fixLog(directory, answers('y'))).toBe(0)
    expect(said).toContain('CRC ERROR - ')
    expect(bytesOf('log.1')).toEqual(LOG)
    expect(bytesOf('damaged.log.1')).toEqual(damaged)
    expect(await recovered()).toBe(ENTRIES.length)
  })

  it('cuts there instead, and later files go aside', async () => {
    const half = Math.floor(ENTRIES.length / 2)
    put('log.1', damagedAt(2, 4).subarray(0, START(half)))
    put('log.ff', concat([logHeader(), ...ENTRIES.slice(half)]))
    expect(await fixLog(directory, answers('no', 'yes'))).toBe(0)
    expect(said).toContain(`${ENTRIES.length - 3} transactions are behind it`)
    expect(await recovered()).toBe(2)
    const names = readdirSync(folder).filter((name) => name.includes('log'))
    expect(names.sort()).toEqual(['damaged.log.1', 'damaged.log.ff', 'log.1'])
  })

  it('changes nothing without a yes', async () => {
    put('log.1', damagedAt(3, 4))
    expect(await fixLog(directory, answers('abort'))).toBe(1)
    expect(await fixLog(directory, answers('n', 'n'))).toBe(1)
    expect(bytesOf('log.1')).toEqual(damagedAt(3, 4))
    expect(readdirSync(folder)).not.toContain('damaged.log.1')
  })

  it('by itself cuts at what cannot be read', async () => {
    // Its length: nobody can tell where it ends but by what is behind it.
    put('log.1', damagedAt(4, 9))
    expect(await runLog(['--fix', '--yes', directory])).toBe(0)
    expect(await recovered()).toBe(4)
  })

  it('leaves out what a snapshot has, and mends every damage in one go', async () => {
    const bytes = damagedAt(1, 9)
    bytes[START(6) + 4]! ^= 0xff
    put('log.1', bytes)
    put('snapshot.4', SNAPSHOT)
    expect(await runLog(['--fix', '--yes', directory])).toBe(0)
    expect(said).toContain('The log is whole')
    expect(await runLog(['--verify', directory])).toBe(0)
    expect(said).toContain(`${ENTRIES.length - 1} transactions`)
    expect(bytesOf('damaged.log.1')).toEqual(bytes)
  })

  it('accepts the loss of what an earlier start cut off', async () => {
    put('log.1', damagedAt(ENTRIES.length - 1, 4))
    const storage = new FileStorage({ dataDirectory: directory, token: 't' })
    expect((await storage.recover()).droppedTail).toBe(1)
    await storage.close()
    expect(await fixLog(directory, answers('yes'))).toBe(0)
    expect(await recovered()).toBe(ENTRIES.length - 1)
  })

  it('keeps away from a directory in use', async () => {
    put('log.1', LOG)
    put('zabra.pid', new TextEncoder().encode('1\n'))
    expect(await runLog(['--fix', '--yes', directory])).toBe(1)
    expect(said).toContain('process 1 uses')
  })
})

describe('zabra snapshot', () => {
  it('shows the newest of a directory, and refuses one that is not whole', async () => {
    put('snapshot.9', SNAPSHOT)
    put('snapshot.a', new Uint8Array())
    expect(await runSnapshot(['--data', directory])).toBe(0)
    expect(said).toContain('----\n/p\n  cZxid = 0x0000000000')
    expect(said).toMatch(/Last zxid: 0x[0-9a-f]+\n$/)
    said = ''
    expect(await runSnapshot(['--json', join(folder, 'snapshot.9')])).toBe(0)
    const [major, minor, about, [root]] = JSON.parse(said) as [number, number, object, [object]]
    expect([major, minor, about, root]).toMatchObject([
      ...[1, 0, { progname: 'zabra snapshot' }],
      { name: '/', asize: 0 },
    ])
    expect(await runSnapshot([join(folder, 'snapshot.a')])).toBe(1)
    expect(said).toContain('is not whole')
    expect(await runSnapshot([])).toBe(2)
  })

  it('sums up subtrees', async () => {
    put('snapshot.9', SNAPSHOT)
    expect(await runSnapshot(['sum', directory])).toBe(0)
    const [root, ...below] = said.trimEnd().split('\n')
    expect(root).toMatch(/^\/: (\d+) znodes, (\d+) bytes$/)
    const nodes = below.map((line) => Number(/: (\d+) /.exec(line)?.[1]))
    const sum = nodes.reduce((total, one) => total + one, 1)
    expect(root).toContain(`: ${sum} znodes`)
    said = ''
    expect(await runSnapshot(['sum', '--depth', '0', directory, '/zookeeper'])).toBe(0)
    expect(said).toMatch(/^\/zookeeper: \d+ znodes, \d+ bytes\n$/)
    expect(await runSnapshot(['sum', directory, '/nobody'])).toBe(2)
    expect(said).toContain('/nobody is not in the snapshot')
    expect(await runSnapshot(['sum', '--depth', 'x', directory])).toBe(2)
  })

  it('compares two, by znodes, bytes and data', async () => {
    put('snapshot.9', SNAPSHOT)
    const [empty, full] = [join(folder, 'snapshot.0'), join(folder, 'snapshot.9')]
    expect(await runSnapshot(['compare', full, full])).toBe(0)
    expect(said).toBe('')
    expect(await runSnapshot(['compare', empty, full])).toBe(1)
    expect(said).toMatch(/^\/: \+\d+ znodes, \+\d+ bytes$/m)
    expect(said).toMatch(/^\/p: only in the second, /m)
    said = ''
    expect(await runSnapshot(['compare', full, empty])).toBe(1)
    expect(said).toMatch(/^\/: -\d+ znodes, -\d+ bytes$/m)
    expect(said).toMatch(/^\/p: only in the first, /m)
    expect(await runSnapshot(['compare', '--nodes', '999', '--bytes', '9999', empty, full])).toBe(0)
    expect(await runSnapshot(['compare', full])).toBe(2)
  })
})
