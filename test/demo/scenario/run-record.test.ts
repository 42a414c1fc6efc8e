// Beginning and clearing a run are one transaction each, whoever else is at it.
import { expect, test } from 'vitest'
import { CreateMode } from '../../../src/core/jute/create-mode.ts'
import {
  clearRun,
  parseRecord,
  readRun,
  startRun,
  stopRun,
  type StoredRun,
} from '../../../demo/scenario/run-record.ts'
import type { ZooKeeperClient } from '../../../src/client/zookeeper-client.ts'
import { EnsembleBench } from '../../client/ensemble-bench.ts'
import { settle } from '../../client/manual-ticker.ts'

const { signal } = new AbortController()
const ephemeral = { mode: CreateMode.EPHEMERAL }

async function stored(client: ZooKeeperClient): Promise<StoredRun> {
  const found = await readRun(client, () => {}, signal)
  if (found === null) throw new Error('no run')
  return found
}

test('begun once, by one of many', async () => {
  const bench = new EnsembleBench()
  const clients = await Promise.all([bench.connected(), bench.connected(), bench.connected()])
  const results = await Promise.all(
    clients.map((client, index) => startRun(client, `run${index}`, 100, signal)),
  )
  expect(results.map(({ kind }) => kind).sort()).toEqual([
    'running already',
    'running already',
    'started',
  ])
  expect(await clients[0]?.exists('/master')).toBeNull()
  expect(await clients[0]?.exists('/assign')).toBeNull()
})

test('a refusal leaves nothing behind', async () => {
  const client = await new EnsembleBench().connected()
  await client.create('/workers', 'of a person')
  expect(await startRun(client, 'run', 100, signal)).toEqual({
    kind: 'refused',
    paths: ['/workers'],
  })
  expect([...(await client.getChildren('/'))].sort()).toEqual(['workers', 'zookeeper'])
})

test('cleared when the last tab has left, all at once', async () => {
  const bench = new EnsembleBench()
  const client = await bench.connected()
  const tab = await bench.connected()
  await startRun(client, 'run', 100, signal)
  await tab.create('/scenario/tabs/machine1-1', '', ephemeral)
  await tab.create('/master', '', ephemeral)
  await tab.create('/tasks')
  await tab.create('/tasks/task-0000000000')
  await stopRun(client, null, signal)
  let isCleared = false
  const clearing = clearRun(client, await stored(client), 100, signal).then(() => {
    isCleared = true
  })
  await settle()
  expect(isCleared).toBe(false)
  await tab.close()
  await clearing
  expect(await client.getChildren('/')).toEqual(['zookeeper'])
})

test('who waits to clear notices that another has, and begun the next run', async () => {
  const bench = new EnsembleBench()
  const client = await bench.connected()
  const [tab, other] = [await bench.connected(), await bench.connected()]
  await startRun(client, 'run1', 100, signal)
  await tab.create('/scenario/tabs/machine1-1', '', ephemeral)
  await stopRun(client, 'run2', signal)
  const clearing = clearRun(client, await stored(client), 100, signal)
  await settle()
  const stopping = await stored(other)
  // In one go, so that the waiting one never sees the empty stage.
  await Promise.all([
    tab.close(),
    other.multi([
      { kind: 'delete', path: '/scenario/tabs/machine1-1' },
      { kind: 'delete', path: '/scenario/tabs' },
      { kind: 'delete', path: '/scenario/pace' },
      { kind: 'delete', path: '/scenario' },
      { kind: 'create', path: '/scenario', data: '{"run":"run2","state":"running"}' },
      { kind: 'create', path: '/scenario/tabs' },
      { kind: 'create', path: '/scenario/tabs/machine2-2' },
    ]),
  ]).catch(() => clearRun(other, stopping, 100, signal))
  await clearing
  expect((await stored(client)).record).toMatchObject({ run: 'run2', state: 'running' })
})

test.each(['', 'null', '7', '{}', '{"run":1,"state":"running"}', '{"run":"x","state":"?"}'])(
  'what is no record can only be cleared: %s',
  (text) => {
    expect(parseRecord(text)).toEqual({ run: '', state: 'stopping', next: null })
  },
)
