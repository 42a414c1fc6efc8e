// The calls that Apache's own client made when its frames were recorded, made by ours: the bytes
// must be the same, and what Apache's server answered must be understood.
import { expect, test } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { AddWatchMode, eventTypeName } from '../../src/core/jute/event-type.ts'
import { joinFrames, splitFrames } from '../../src/core/jute/framing.ts'
import { OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from '../../src/core/jute/perms.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import type { ClientConnection, ClientTransport } from '../../src/client/transport.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { loadRecording, type Frame } from '../interop/frame-file.ts'
import { ManualTicker, settle } from './manual-ticker.ts'

const { frames } = loadRecording('client')
/** Where Java writes a pair of surrogates as CESU-8 and we write UTF-8 (W3). */
const CESU8 = '/cesu8'

/** Answers as the recording does, as long as the client says what it says there. */
class RecordedServer implements ClientTransport {
  readonly unlike: string[] = []
  #at = 0
  #connection: ClientConnection | null = null

  hosts(): { id: string; label: string; isLocal: boolean }[] {
    return [{ id: '1', label: 'recorded', isLocal: true }]
  }

  async connect(): Promise<ClientConnection> {
    const connection: ClientConnection = {
      send: (bytes) => {
        for (const payload of splitFrames(bytes)) this.#hear(payload)
      },
      onMessage: () => {},
      onClose: () => {},
      onTick: () => {},
      close: () => {},
    }
    this.#connection = connection
    return connection
  }

  #hear(payload: Uint8Array): void {
    const expected = this.#take()
    const isSame = expected?.from === 'client' && toHex(expected.bytes) === toHex(payload)
    if (!isSame && !decodeUtf8(payload).includes(CESU8)) {
      this.unlike.push(`${expected?.what ?? 'nothing'}: ${toHex(payload)}`)
    }
    const answers: Uint8Array[] = []
    while (frames[this.#at]?.from === 'server') answers.push((this.#take() as Frame).bytes)
    if (answers.length === 0) return
    queueMicrotask(() => this.#connection?.onMessage(joinFrames(answers)))
  }

  #take(): Frame | undefined {
    return frames[this.#at++]
  }
}

async function fails(call: Promise<unknown>, name: string): Promise<void> {
  const error: unknown = await call.catch((reason: unknown) => reason)
  expect(isZooKeeperError(error) ? error.name : error).toBe(name)
}

async function creates(zk: ZooKeeperClient): Promise<void> {
  expect(await zk.create('/p', 'data')).toBe('/p')
  await zk.create('/null', null)
  await zk.create('/empty', '')
  await zk.create('/e', 'e', { mode: CreateMode.EPHEMERAL })
  const sequential = await zk.create('/p/s-', 's', { mode: CreateMode.PERSISTENT_SEQUENTIAL })
  expect(sequential).toBe('/p/s-0000000000')
  await zk.create('/p/es-', 'es', { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
  expect(await zk.create('/c', 'c', { mode: CreateMode.CONTAINER })).toBe('/c')
  const container = await zk.create2('/c2', 'c', { mode: CreateMode.CONTAINER })
  expect(container.stat).toMatchObject({ dataLength: 1, ephemeralOwner: 0n })
  await zk.create2('/t', 't', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 3_600_000 })
  const mode = CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL
  const { path } = await zk.create2('/ts-', null, { mode, ttlMs: 2 ** 39 })
  expect(path).toMatch(/^\/ts-\d{10}$/)
  expect((await zk.create2('/stat', 'x')).stat.version).toBe(0)
  await zk.create('/节点-é', '数据 😀')
  const acl = [
    {
      perms: Perms.READ | Perms.WRITE,
      id: { scheme: 'digest', id: 'u:k0D6Dy6JdLbmSsmrcWT/XJJcZlM=' },
    },
    { perms: Perms.ALL, id: { scheme: 'ip', id: '127.0.0.0/8' } },
  ]
  await zk.create('/acl', 'x', { acl })
  await fails(zk.create('/p'), 'NodeExists')
  await fails(zk.create('/no/parent'), 'NoNode')
  await fails(zk.create('/e/child'), 'NoChildrenForEphemerals')
  await fails(zk.create('/bad', null, { acl: [] }), 'InvalidACL')
  const cesu8 = { scheme: 'digest', id: '😀:k0D6Dy6JdLbmSsmrcWT/XJJcZlM=' }
  await zk.create(CESU8, null, { acl: [{ perms: Perms.ALL, id: cesu8 }] })
  await fails(zk.getACL(CESU8), 'NoAuth')
}

async function readsAndWrites(zk: ZooKeeperClient): Promise<void> {
  const { data, stat } = await zk.getData('/p')
  expect(decodeUtf8(data ?? new Uint8Array(0))).toBe('data')
  expect(stat).toMatchObject({ dataLength: 4, numChildren: 2, cversion: 2 })
  expect((await zk.getData('/null')).data).toBeNull()
  expect((await zk.getData('/empty')).data).toHaveLength(0)
  expect((await zk.getData('/t')).stat.ephemeralOwner).toBe(0n)
  expect((await zk.exists('/e'))?.ephemeralOwner).toBe(zk.sessionId)
  expect(await zk.exists('/nothing')).toBeNull()
  expect(await zk.getChildren('/')).toContain('节点-é')
  expect(await zk.getChildren('/empty')).toEqual([])
  expect((await zk.getChildren2('/p')).children).toHaveLength(2)
  expect((await zk.setData('/p', 'second', 0)).version).toBe(1)
  await zk.setData('/p', null)
  await fails(zk.setData('/p', 'x', 7), 'BadVersion')
  await fails(zk.setData('/nothing', 'x'), 'NoNode')
  expect((await zk.getACL('/acl')).acl).toHaveLength(2)
  expect((await zk.setACL('/stat', READ_ACL_UNSAFE, 0)).aversion).toBe(1)
  await fails(zk.setData('/stat', 'x'), 'NoAuth')
  await fails(zk.setACL('/stat', OPEN_ACL_UNSAFE), 'NoAuth')
}

async function multis(zk: ZooKeeperClient): Promise<void> {
  const results = await zk
    .transaction()
    .create('/m', 'm')
    .create('/m/s-', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
    .create('/m/c', 'c', { mode: CreateMode.CONTAINER })
    .create('/m/t', 't', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 3_600_000 })
    .setData('/m', 'm2', 0)
    .check('/m', 1)
    .delete('/m/c')
    .commit()
  expect(results.map((result) => ('stat' in result ? result.stat !== null : null))).toEqual([
    ...[false, false, true, true, true],
    ...[null, null],
  ])
  const failing = zk.transaction().check('/m').create('/m/never').delete('/nothing')
  await fails(failing.setData('/m', null).commit(), 'NoNode')
  const reads = await zk.multiRead([
    { kind: 'getData', path: '/m' },
    { kind: 'getChildren', path: '/m' },
    { kind: 'getData', path: '/nothing' },
    { kind: 'getChildren', path: '/nothing' },
  ])
  expect(reads.map(({ kind }) => kind)).toEqual(['getData', 'getChildren', 'error', 'error'])
}

async function watches(zk: ZooKeeperClient, events: string[]): Promise<void> {
  const watch = ({ type, path }: { type: number; path: string | null }): void =>
    void events.push(`${eventTypeName(type)} ${path ?? ''}`)
  await zk.exists('/w', { watch })
  await zk.create('/w', 'w')
  await zk.getData('/w', { watch })
  await zk.setData('/w', 'w2')
  await zk.getChildren('/w', { watch })
  await zk.create('/w/child')
  await zk.exists('/w/child', { watch })
  await zk.delete('/w/child')
  await fails(zk.delete('/p'), 'NotEmpty')
  await zk.addWatch('/w', AddWatchMode.PERSISTENT, watch)
  await zk.addWatch('/p', AddWatchMode.PERSISTENT_RECURSIVE, watch)
  await zk.create('/p/deep')
  await zk.getData('/m', { watch })
  await zk.exists('/later', { watch })
  await zk.getChildren('/c', { watch })
}

test('our client sends the bytes of Apache’s client and understands the answers', async () => {
  const server = new RecordedServer()
  const ticker = new ManualTicker()
  const zk = new ZooKeeperClient({ transport: server, ticker, sessionTimeoutMs: 10_000 })
  await zk.connected()
  expect(zk.negotiatedTimeoutMs).toBe(10_000)
  await creates(zk)
  await readsAndWrites(zk)
  await multis(zk)
  const events: string[] = []
  await watches(zk, events)
  await settle()
  expect(events).toEqual([
    'NodeCreated /w',
    'NodeDataChanged /w',
    'NodeChildrenChanged /w',
    'NodeDeleted /w/child',
    'NodeCreated /p/deep',
  ])
  expect(server.unlike).toEqual([])
  // A single byte that differs would be seen.
  await zk.getData('/other').catch(() => {})
  expect(server.unlike).toHaveLength(1)
})
