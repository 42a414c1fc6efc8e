/** Emptying and tidying the directories of a zoo.cfg (O34). */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { fileName } from '../../src/adapters/files/file-names.ts'
import { toZxid } from '../../src/core/base/zxid.ts'
import { emptySnapshotChunk } from '../../src/core/server/member-machine.ts'
import { cleanUpDirectories, initializeDirectories } from '../../src/edge/server-directories.ts'

const directory = mkdtempSync(join(tmpdir(), 'zabra-directories-'))
const data = join(directory, 'data')
const log = join(directory, 'log')
const path = join(directory, 'zoo.cfg')

afterAll(() => rmSync(directory, { recursive: true }))

beforeEach(() => {
  rmSync(data, { recursive: true, force: true })
  rmSync(log, { recursive: true, force: true })
  // No myid yet: as a server's configuration it would be refused.
  const servers = 'server.1=a:1:2\nserver.2=b:1:2\n'
  writeFileSync(path, `dataDir=${data}\ndataLogDir=${log}\nclientPort=2181\n${servers}`)
})

describe('zabra server initialize', () => {
  it('makes directories that a server may begin in, and removes none unless forced', () => {
    expect(initializeDirectories([path, '--myid', '2'])).toBe(0)
    expect(readFileSync(join(data, 'myid'), 'utf8')).toBe('2\n')
    expect(existsSync(join(data, 'initialize'))).toBe(true)
    expect(existsSync(join(log, 'version-2'))).toBe(true)
    const kept = join(data, 'version-2', 'snapshot.0')
    writeFileSync(kept, 'of value')
    expect(initializeDirectories([path])).toBe(1)
    expect(existsSync(kept)).toBe(true)
    expect(initializeDirectories([path, '--force'])).toBe(0)
    expect(readdirSync(data).sort()).toEqual(['initialize', 'version-2'])
    expect(existsSync(kept)).toBe(false)
    expect(initializeDirectories([path, '--myid', '256'])).toBe(1)
    expect(initializeDirectories([join(directory, 'none.cfg')])).toBe(1)
  })
})

describe('zabra server cleanup', () => {
  it('leaves the newest snapshots, and the logs that the oldest of them needs (P18)', () => {
    mkdirSync(join(data, 'version-2'), { recursive: true })
    mkdirSync(join(log, 'version-2'), { recursive: true })
    for (const zxid of [0x10n, 0x20n, 0x30n, 0x40n, 0x50n].map(toZxid)) {
      writeFileSync(join(data, 'version-2', fileName('snapshot', zxid)), emptySnapshotChunk())
    }
    for (const zxid of [0x1n, 0x11n, 0x2fn, 0x41n].map(toZxid)) {
      writeFileSync(join(log, 'version-2', fileName('log', zxid)), '')
    }
    expect(cleanUpDirectories([path, '-n', '2'])).toBe(1)
    expect(readdirSync(join(data, 'version-2'))).toHaveLength(5)
    expect(cleanUpDirectories([path])).toBe(0)
    const left = (of: string): string[] => readdirSync(join(of, 'version-2')).sort()
    expect(left(data)).toEqual(['snapshot.30', 'snapshot.40', 'snapshot.50'])
    // log.2f is where the entries behind snapshot.30 begin.
    expect(left(log)).toEqual(['log.2f', 'log.41'])
  })
})
