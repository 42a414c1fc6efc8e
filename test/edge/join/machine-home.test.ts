// Which machine of which room a data directory is, and what it refuses to become.
import { readFileSync, rmSync, statSync, chmodSync, writeFileSync } from 'node:fs'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { roomFilePath } from '../../../src/adapters/files/room-file.ts'
import { verify } from '../../../src/adapters/indexeddb/identity.ts'
import { creatorHash } from '../../../src/core/founding/key-names.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { linkedRoom, newRoom, type AskedRoom } from '../../../src/edge/join/asked-room.ts'
import { openMachineHome, type MachineHome } from '../../../src/edge/join/machine-home.ts'
import { NodeServer } from '../../../src/edge/node-server.ts'
import { serverSettings } from '../../../src/edge/settings.ts'
import { foundedRecord } from './founded-record.ts'

const LINK = 'http://localhost:4173/machine.html?room=home&size=3#a-secret-of-the-room-0123'
const SAME: AskedRoom = { kind: 'same' }
const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-home-'))
  directories.push(directory)
  return directory
}

function asked(link = LINK): AskedRoom {
  return { kind: 'link', ...linkedRoom(link, null) }
}

function open(dataDirectory: string, room: AskedRoom = asked()): Promise<MachineHome> {
  return openMachineHome({ dataDirectory, asked: room, preallocateBytes: 0 })
}

describe('a machine at home', () => {
  it('is the same one in its next life, and goes on without a link', async () => {
    const directory = newDirectory()
    let incarnation = ''
    {
      await using home = await open(directory)
      incarnation = home.identity.incarnation
      expect(home.identity.meta.lives).toBe(1)
    }
    await using again = await open(directory, SAME)
    expect(again.identity.incarnation).toBe(incarnation)
    expect(again.room.address.href).toBe(LINK)
    expect(again.identity.meta.startChain).toHaveLength(2)
    const bytes = new Uint8Array([1, 2, 3])
    const signature = await again.identity.sign(bytes)
    expect(await verify(again.identity.publicKey, bytes, signature)).toBe(true)
  })

  it('keeps its key and the secret from others, also when they were let in', async () => {
    const directory = newDirectory()
    await (await open(directory))[Symbol.asyncDispose]()
    const path = roomFilePath(directory)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o644)
    await (await open(directory))[Symbol.asyncDispose]()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('belongs to one process at a time', async () => {
    const directory = newDirectory()
    await using _home = await open(directory)
    writeFileSync(join(directory, 'version-2/zabra.pid'), `${process.ppid}\n`)
    await expect(open(directory)).rejects.toThrow(`process ${process.ppid} uses`)
  })

  it('names itself as the creator of a new room, which it does not make twice', async () => {
    const directory = newDirectory()
    const room = newRoom({ signaling: 'ws://localhost:4173', size: 5, name: 'mine' })
    {
      await using home = await open(directory, room)
      expect(home.link).toMatchObject({ room: 'mine', size: 5, cluster: null })
      expect(home.link.creator).toBe(creatorHash(home.identity.publicKey))
      const creator = home.link.creator ?? ''
      expect(home.keepNames(creator, 'c1').endsWith(`.${creator}.c1`)).toBe(true)
    }
    await expect(open(directory, room)).rejects.toThrow('leave out --new')
    await using again = await open(directory, SAME)
    expect(again.link.cluster).toBe('c1')
  })
})

describe('a directory is not taken', () => {
  it('that has no room, without a link', async () => {
    await expect(open(newDirectory(), SAME)).rejects.toThrow('name a LINK')
  })

  it('that is of another room, or of another ensemble of the same one', async () => {
    const directory = newDirectory()
    let creator = ''
    {
      await using home = await open(directory)
      const founded = await foundedRecord(home)
      creator = founded.creator
      await home.identity.storage.pinFounding(founded.envelope, emptySnapshotChunk())
    }
    await expect(open(directory, asked(LINK.replace('=home', '=other')))).rejects.toThrow(
      'a machine of another room',
    )
    await expect(open(directory, asked(`${LINK}.${'0'.repeat(20)}`))).rejects.toThrow(
      'another ensemble of this room',
    )
    await using _same = await open(directory, asked(`${LINK}.${creator}`))
  })

  it('of a standalone server', async () => {
    const dataDirectory = newDirectory()
    const settings = { dataDirectory, clientPort: 0, preallocateBytes: 0, adminEnabled: false }
    await (await NodeServer.open(serverSettings(settings))).close()
    await expect(open(dataDirectory)).rejects.toThrow('data directory of another server')
  })

  it('whose storage was replaced, or emptied, under its key: votes would be lost', async () => {
    const directory = newDirectory()
    {
      await using home = await open(directory)
      const { envelope } = await foundedRecord(home)
      await home.identity.storage.pinFounding(envelope, emptySnapshotChunk())
    }
    const snapshot = join(directory, 'version-2/snapshot.0')
    const kept = readFileSync(snapshot)
    rmSync(snapshot)
    await expect(open(directory)).rejects.toThrow('has lost data of its machine')
    writeFileSync(snapshot, kept)
    await (await open(directory))[Symbol.asyncDispose]()
    rmSync(join(directory, 'version-2/zabra.json'))
    await expect(open(directory)).rejects.toThrow('has lost data of its machine')
  })

  it('whose file is damaged, or of a later version', async () => {
    const directory = newDirectory()
    await (await open(directory))[Symbol.asyncDispose]()
    const path = roomFilePath(directory)
    const file = readFileSync(path, 'utf8')
    for (const bad of [
      '',
      '{}',
      '[]',
      'null',
      file.replace(/"privateKey": "./, '"privateKey": "!'),
    ]) {
      writeFileSync(path, bad)
      await expect(open(directory)).rejects.toMatchObject({ code: 'corrupt' })
    }
    writeFileSync(path, file.replace('"format": 1', '"format": 2'))
    await expect(open(directory)).rejects.toMatchObject({ code: 'newer-format' })
    writeFileSync(path, file)
    await (await open(directory))[Symbol.asyncDispose]()
  })
})
