/** What an empty directory means: a new database, or one that was lost (P15, Q18, O34). */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileStorage } from '../../src/adapters/files/storage.ts'
import { toServerId } from '../../src/core/base/zxid.ts'
import { recoverDatabase } from '../../src/edge/recover-database.ts'
import { serverSettings, type ServerSettings } from '../../src/edge/settings.ts'
import type { Recovered } from '../../src/ports/storage.ts'

let dataDirectory = ''

beforeEach(() => void (dataDirectory = mkdtempSync(join(tmpdir(), 'zabra-recover-'))))
afterEach(() => rmSync(dataDirectory, { recursive: true }))

const MEMBERS = [1, 2, 3].map((sid) => {
  const ports = { quorumPort: 2888, electionPort: 3888 }
  return { sid: toServerId(sid), host: 'a', role: 'participant', ...ports } as const
})
const ENSEMBLE = { members: MEMBERS, sid: toServerId(1) }

async function recover(said: Partial<ServerSettings> = {}): Promise<Recovered> {
  const storage = new FileStorage({ dataDirectory, token: 't', preallocateBytes: 0 })
  try {
    return await recoverDatabase(storage, serverSettings({ dataDirectory, ...said }))
  } finally {
    await storage.close()
  }
}

test('a new database, which may vote, unless db.autocreate is off', async () => {
  expect(await recover()).toMatchObject({ snapshot: { zxid: 0n }, log: [], droppedTail: 0 })
  // It is there now.
  expect(await recover({ createsDatabase: false })).toMatchObject({ droppedTail: 0 })
})

test('alone, a server whose directory lost everything does not start', async () => {
  await expect(recover({ createsDatabase: false })).rejects.toThrow(/empty.*db\.autocreate is off/)
  await expect(recover({ createsDatabase: false })).rejects.toMatchObject({ code: 'wiped' })
})

test('in an ensemble it lost its log: no vote until a leader made it up', async () => {
  for (let start = 0; start < 2; start++) {
    const recovered = await recover({ ...ENSEMBLE, createsDatabase: false })
    expect(recovered.droppedTail).toBe(1)
  }
})

test('the file initialize says that it is new; one start uses it up', async () => {
  const mark = join(dataDirectory, 'initialize')
  writeFileSync(mark, '')
  const recovered = await recover({ ...ENSEMBLE, createsDatabase: false })
  expect([recovered.droppedTail, recovered.snapshot?.zxid]).toEqual([0, 0n])
  expect(existsSync(mark)).toBe(false)
})
