/** Snapshot and restore by admin command over HTTP (P26), of a whole ensemble that serves. */
import { describe, expect, it, vi } from 'vitest'
import { makeZxid, toZxid, ZXID_NONE } from '../../src/core/base/zxid.ts'
import { readBackup } from '../../src/core/server/backup.ts'
import { NodeEnsemble } from './node-ensemble.ts'

const WAIT = { timeout: 30_000, interval: 50 }
const AS = { authorization: 'ip' }

function commandOf(ensemble: NodeEnsemble, sid: number): (name: string) => string {
  const port = ensemble.servers.get(sid)?.administration.adminPort ?? 0
  return (name) => `http://127.0.0.1:${port}/commands/${name}`
}

async function snapshotOf(ensemble: NodeEnsemble): Promise<Uint8Array<ArrayBuffer>> {
  const leader = await vi.waitFor(() => ensemble.leader ?? expect.fail('no leader'), WAIT)
  const answer = await fetch(commandOf(ensemble, leader)('snapshot'), { headers: AS })
  expect(answer.status).toBe(200)
  return new Uint8Array(await answer.arrayBuffer())
}

describe('a backup restored by admin command (P26)', () => {
  it('is the state of the whole ensemble, and what came after it is gone', async () => {
    const said = { adminEnabled: true, adminPort: 0, adminAddress: '127.0.0.1' }
    await using ensemble = await NodeEnsemble.plan(3, 0, said)
    await ensemble.startAll()
    const leader = ensemble.leader!
    const [follower] = [1, 2, 3].filter((sid) => sid !== leader)
    await using client = await ensemble.client(follower!)
    const { stat: before } = await client.create('/kept', 'of the backup').then(async () => {
      return client.getData('/kept')
    })
    const backup = await snapshotOf(ensemble)
    await client.setData('/kept', 'later')
    await client.create('/later')
    const post = { method: 'POST', headers: AS, body: backup }
    const elsewhere = await fetch(commandOf(ensemble, follower!)('restore'), post)
    expect(elsewhere.status).toBe(503)
    expect(await elsewhere.text()).toContain(`machine ${leader}`)

    const answer = await fetch(commandOf(ensemble, leader)('restore'), post)
    const told = (await answer.json()) as { last_zxid: number; error: string | null }
    expect([answer.status, told.error]).toEqual([200, null])
    expect(ensemble.leader).toBe(leader)

    for (const sid of [1, 2, 3]) {
      await using reader = await ensemble.client(sid)
      await reader.sync('/')
      expect([...(await reader.getChildren('/'))].sort()).toEqual(['kept', 'zookeeper'])
      const { stat, data } = await reader.getData('/kept')
      expect([stat, new TextDecoder().decode(data!)]).toEqual([before, 'of the backup'])
    }
    // One more point of the same history: what is written next is newer, and it is all on disk.
    await using writer = await ensemble.client()
    const { mzxid } = await writer.setData('/kept', 'goes on')
    expect(mzxid).toBeGreaterThan(BigInt(told.last_zxid))
    for (const sid of [1, 2, 3]) await ensemble.stop(sid)
    await ensemble.startAll()
    await using reader = await ensemble.client()
    expect(await reader.exists('/later')).toBeNull()
    expect((await reader.getData('/kept')).stat.mzxid).toBe(mzxid)
  })

  it('from an ensemble that is further on has nothing in it from the future', async () => {
    await using ensemble = await NodeEnsemble.plan(1, 0, { adminEnabled: true, adminPort: 0 })
    await ensemble.start(1)
    await using client = await ensemble.client()
    await client.create('/old')
    await client.create('/new')
    const { stat: old } = await client.getData('/old')
    const backup = await snapshotOf(ensemble)
    const tree = readBackup([backup], toZxid(old.czxid))
    expect(tree.lastProcessed).toBe(old.czxid)
    expect(tree.node('/old')).toMatchObject({ czxid: old.czxid, mzxid: old.mzxid })
    expect(tree.node('/new')).toMatchObject({ czxid: old.czxid, mzxid: old.czxid })
    expect(readBackup([backup], makeZxid(9, 9)).node('/new')?.czxid).toBeGreaterThan(old.czxid)
    expect(() => readBackup([backup.subarray(1)], ZXID_NONE)).toThrow('magic')
  })
})
