import { describe, expect, test } from 'vitest'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import {
  AddWatchMode,
  EventType,
  eventTypeName,
  KeeperState,
} from '../../src/core/jute/event-type.ts'
import { isOutcomeUnknown, ZooKeeperError } from '../../src/client/errors.ts'
import { MultiError } from '../../src/client/transaction.ts'
import type { WatchedEvent } from '../../src/client/watched-event.ts'
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { EnsembleBench } from './ensemble-bench.ts'
import { settle } from './manual-ticker.ts'

async function failure(promise: Promise<unknown>): Promise<ZooKeeperError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ZooKeeperError)
  return error as ZooKeeperError
}

describe('calls against a real server', () => {
  test('create, read, change, delete', async () => {
    const client = await new EnsembleBench().connected()
    expect(await client.create('/a', 'one')).toBe('/a')
    const { data, stat } = await client.getData('/a')
    expect(decodeUtf8(data ?? new Uint8Array(0))).toBe('one')
    expect(stat).toMatchObject({ version: 0, dataLength: 3, ephemeralOwner: 0n })
    expect(await client.setData('/a', 'two', 0)).toMatchObject({ version: 1 })
    const created = await client.create2('/a/b-', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
    expect(created.path).toBe('/a/b-0000000000')
    expect(created.stat.ephemeralOwner).toBe(client.sessionId)
    expect(await client.getChildren('/a')).toEqual(['b-0000000000'])
    expect((await client.getChildren2('/a')).stat.numChildren).toBe(1)
    expect(await client.getEphemerals()).toEqual(['/a/b-0000000000'])
    expect(await client.getAllChildrenNumber('/a')).toBe(1)
    await client.sync('/a')
    await client.delete('/a/b-0000000000')
    await client.delete('/a', 1)
    expect(await client.exists('/a')).toBeNull()
  })

  test('null and empty data stay different (D46)', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/null')
    await client.create('/empty', '')
    expect((await client.getData('/null')).data).toBeNull()
    expect((await client.getData('/empty')).data).toEqual(new Uint8Array(0))
    await client.setData('/empty', null)
    expect((await client.getData('/empty')).data).toBeNull()
  })

  test('errors carry code, name, path and the text of ZooKeeper', async () => {
    const client = await new EnsembleBench().connected()
    const missing = await failure(client.getData('/none'))
    expect(missing).toMatchObject({
      code: ErrorCode.NONODE,
      name: 'NoNode',
      path: '/none',
      message: 'KeeperErrorCode = NoNode for /none',
      outcomeUnknown: false,
    })
    await client.create('/a')
    await client.create('/a/b')
    expect((await failure(client.create('/a'))).name).toBe('NodeExists')
    expect((await failure(client.delete('/a'))).name).toBe('NotEmpty')
    expect((await failure(client.setData('/a', '', 7))).name).toBe('BadVersion')
    // The path of the request, not of the missing parent (C37).
    expect((await failure(client.create('/x/y'))).path).toBe('/x/y')
  })

  test('bad paths and oversized data are refused before anything is sent', async () => {
    const client = await new EnsembleBench().connected()
    const bad = await failure(client.getData('a'))
    expect(bad).toMatchObject({ name: 'InvalidPath', code: ErrorCode.BADARGUMENTS })
    expect(bad.message).toBe('Path must start with / character')
    expect((await failure(client.create('/a/'))).name).toBe('InvalidPath')
    // Legal with its suffix (D15).
    await client.create('/a')
    expect(await client.create('/a/', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL })).toBe(
      '/a/0000000000',
    )
    const large = await failure(client.create('/large', new Uint8Array(0x10_0000)))
    expect(large.code).toBe(ErrorCode.MARSHALLINGERROR)
    expect(large.message).toContain('at most 1048575')
    expect(client.state).toBe('CONNECTED')
  })

  test('multi is all or nothing and tells which operation failed (W49)', async () => {
    const client = await new EnsembleBench().connected()
    const results = await client
      .transaction()
      .create('/a', 'x')
      .setData('/a', 'y')
      .check('/a', 1)
      .commit()
    expect(results.map(({ kind }) => kind)).toEqual(['create', 'setData', 'check'])
    const failed = await failure(
      client.multi([
        { kind: 'create', path: '/b' },
        { kind: 'delete', path: '/none' },
        { kind: 'create', path: '/c' },
      ]),
    )
    expect(failed).toBeInstanceOf(MultiError)
    expect(failed).toMatchObject({ code: ErrorCode.NONODE, path: '/none', index: 1 })
    expect((failed as MultiError).results).toEqual([0, -101, -2])
    expect(await client.exists('/b')).toBeNull()
    expect(await client.multi([])).toEqual([])
    const reads = await client.multiRead([
      { kind: 'getData', path: '/a' },
      { kind: 'getChildren', path: '/none' },
    ])
    expect(reads.map(({ kind }) => kind)).toEqual(['getData', 'error'])
  })

  test('chroot is put before and taken off everywhere (W61)', async () => {
    const bench = new EnsembleBench()
    const plain = await bench.connected()
    await plain.create('/app')
    await plain.create('/app/a')
    const events: WatchedEvent[] = []
    const client = await bench.connected({ chroot: '/app/a' })
    expect(await client.create('/x-', '', { mode: CreateMode.EPHEMERAL_SEQUENTIAL })).toBe(
      '/x-0000000000',
    )
    expect(await client.getChildren('/', { watch: (event) => events.push(event) })).toEqual([
      'x-0000000000',
    ])
    expect(await plain.getChildren('/app/a')).toEqual(['x-0000000000'])
    expect(await client.getEphemerals()).toEqual(['/x-0000000000'])
    const [first] = await client.transaction().create('/y').commit()
    expect(first).toMatchObject({ path: '/y' })
    await settle()
    expect(events.map(({ path }) => path)).toEqual(['/'])
    expect((await failure(client.getData('/none'))).path).toBe('/none')
  })

  test('addAuthInfo and whoAmI; a refusal ends the handle (S34)', async () => {
    const client = await new EnsembleBench().connected()
    await client.addAuthInfo('digest', 'user:secret')
    const infos = await client.whoAmI()
    expect(infos.map(({ authScheme, user }) => `${authScheme}:${user}`)).toContain('digest:user')
    const states: string[] = []
    client.onState((state) => states.push(state))
    expect((await failure(client.addAuthInfo('nonsense', 'x'))).name).toBe('AuthFailed')
    expect(states).toEqual(['AUTH_FAILED'])
    expect((await failure(client.getData('/'))).code).toBe(ErrorCode.AUTHFAILED)
  })
})

describe('sessions', () => {
  test('connected and close; later calls fail and the ephemerals are gone', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    const other = await bench.connected()
    expect(client.sessionId >> 56n).toBe(1n)
    expect(client.sessionPassword).toHaveLength(16)
    expect(client.negotiatedTimeoutMs).toBe(10_000)
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL })
    await client.close()
    expect(client.state).toBe('CLOSED')
    expect(await other.exists('/e')).toBeNull()
    expect((await failure(client.getData('/'))).name).toBe('SessionExpired')
    expect((await failure(client.connected())).name).toBe('SessionExpired')
    await client.close()
  })

  test('`await using` closes the session', async () => {
    const bench = new EnsembleBench()
    const other = await bench.connected()
    {
      await using client = await bench.connected()
      await client.create('/e', '', { mode: CreateMode.EPHEMERAL })
    }
    expect(await other.exists('/e')).toBeNull()
  })

  test('a lost link: unknown outcome for sent writes, the session goes on elsewhere', async () => {
    const bench = new EnsembleBench({ followers: 2 })
    const client = await bench.connected()
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL })
    const { sessionId } = client
    const events: string[] = []
    client.onSessionEvent(({ state }) => events.push(String(state)))
    const write = failure(client.create('/w'))
    const read = failure(client.getData('/e'))
    await Promise.resolve()
    bench.cut.add(0)
    bench.lose(0)
    expect(isOutcomeUnknown(await write)).toBe(true)
    expect((await read).outcomeUnknown).toBe(false)
    expect((await read).name).toBe('ConnectionLoss')
    const queued = client.getData('/e')
    await bench.pass(3000)
    expect((await queued).stat.ephemeralOwner).toBe(sessionId)
    expect(client.sessionId).toBe(sessionId)
    expect(events).toEqual(['0', '3'])
    expect(bench.connections.at(-1)?.member).not.toBe(0)
  })

  test('nobody to reach: a queued call is given up as never sent', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    const call = failure(client.create('/a', '', { unsentWaitMs: 2000 }))
    await bench.pass(2500)
    expect(await call).toMatchObject({ name: 'ConnectionLoss', outcomeUnknown: false })
  })

  test('an expired session ends the handle: nothing waits for ever', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    const events: number[] = []
    client.onSessionEvent(({ state }) => events.push(state))
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    const call = failure(client.create('/a', '', { unsentWaitMs: Infinity }))
    await bench.pass(14_000)
    expect((await call).name).toBe('SessionExpired')
    expect(client.state).toBe('CLOSED')
    expect(events).toEqual([0, -112])
  })

  test('idle sessions are kept alive by pings', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    await client.create('/e', '', { mode: CreateMode.EPHEMERAL })
    await bench.pass(60_000)
    expect(client.state).toBe('CONNECTED')
    expect(await client.exists('/e')).not.toBeNull()
  })

  test('id and password take the session over to another handle (S18)', async () => {
    const bench = new EnsembleBench()
    const first = await bench.connected()
    await first.create('/e', '', { mode: CreateMode.EPHEMERAL })
    const session = { id: first.sessionId, password: first.sessionPassword }
    const second = await bench.connected({ session })
    expect(second.sessionId).toBe(first.sessionId)
    expect((await second.getData('/e')).stat.ephemeralOwner).toBe(second.sessionId)
  })
})

describe('signals and time', () => {
  test('abort rejects with the reason, before and after sending', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    const reason = new Error('enough')
    await expect(client.getData('/', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const call = client.create('/a', '', { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    // It had not left: the microtask that sends found it cancelled.
    expect(await client.exists('/a')).toBeNull()
    expect(await client.create('/b')).toBe('/b')
  })

  test('connected() gives up with its signal', async () => {
    const bench = new EnsembleBench()
    bench.cut.add(0)
    const client = bench.client()
    const controller = new AbortController()
    const waiting = client.connected(controller.signal)
    controller.abort(new Error('no patience'))
    await expect(waiting).rejects.toThrow('no patience')
    await client.close()
  })

  test('a time limit per call and per client (S36)', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    bench.ensemble.autoCommit = false
    const call = failure(client.create('/slow', '', { timeoutMs: 500 }))
    await bench.pass(750)
    expect(await call).toMatchObject({ name: 'RequestTimeout', outcomeUnknown: true })
    bench.ensemble.commit()
    bench.ensemble.autoCommit = true
    // The late answer belongs to nobody, and the next one to its own call.
    expect((await client.getData('/slow')).stat.version).toBe(0)
  })
})

describe('watches', () => {
  const names = (events: readonly WatchedEvent[]) =>
    events.map(({ type, path }) => `${eventTypeName(type)} ${path ?? ''}`)

  test('the default watcher and own ones; one event for both tables (N14, N34)', async () => {
    const bench = new EnsembleBench()
    const mine: WatchedEvent[] = []
    const defaults: WatchedEvent[] = []
    const watcher = (event: WatchedEvent): void => void mine.push(event)
    const client = await bench.connected({ watcher: (event) => defaults.push(event) })
    await client.create('/a')
    await client.getData('/a', { watch: watcher })
    await client.exists('/a', { watch: watcher })
    await client.getChildren('/a', { watch: true })
    await client.setData('/a', 'x')
    await client.create('/a/b')
    await settle()
    expect(names(mine)).toEqual(['NodeDataChanged /a'])
    expect(names(defaults)).toEqual(['None ', 'NodeChildrenChanged /a'])
    expect(mine[0]?.zxid).toBeGreaterThan(0n)
    await client.setData('/a', 'y')
    await settle()
    expect(mine).toHaveLength(1)
  })

  test('the event comes before the reply of the write, in promise order (N20, N22)', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    await client.create('/a')
    const order: string[] = []
    await client.getData('/a', { watch: () => order.push('event') })
    const before = client.exists('/a').then(() => order.push('read before'))
    const write = client.setData('/a', 'x').then(() => order.push('write'))
    const after = client.getData('/a').then(() => order.push('read after'))
    await Promise.all([before, write, after])
    expect(order).toEqual(['read before', 'event', 'write', 'read after'])
  })

  test('are armed again on the next connection, and missed changes are told (N24)', async () => {
    const bench = new EnsembleBench({ followers: 1 })
    const other = await bench.connected({ transport: bench.transport(1) })
    const client = await bench.connected()
    await client.create('/data', '')
    await client.create('/kept', '')
    const events: WatchedEvent[] = []
    const watch = (event: WatchedEvent): void => {
      if (event.type !== EventType.None) events.push(event)
    }
    await client.getData('/data', { watch })
    await client.getData('/kept', { watch })
    await client.exists('/later', { watch })
    await client.getChildren('/', { watch })
    await client.addWatch('/kept', AddWatchMode.PERSISTENT, watch)
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    await other.setData('/data', 'x')
    await other.create('/later')
    await bench.pass(3000)
    expect(new Set(names(events))).toEqual(
      new Set(['NodeDataChanged /data', 'NodeCreated /later', 'NodeChildrenChanged /']),
    )
    events.length = 0
    await other.setData('/kept', 'x')
    await settle()
    expect(names(events)).toEqual(['NodeDataChanged /kept'])
  })

  test('removal: of one, of all, and NOWATCHER (N37–N39)', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    await client.create('/a')
    const events: string[] = []
    const first = (event: WatchedEvent): void => void events.push(`1 ${eventTypeName(event.type)}`)
    const second = (event: WatchedEvent): void => void events.push(`2 ${eventTypeName(event.type)}`)
    await client.getData('/a', { watch: first })
    await client.getData('/a', { watch: second })
    await client.removeWatches('/a', first)
    await settle()
    expect(events).toEqual(['1 DataWatchRemoved'])
    await client.setData('/a', 'x')
    await settle()
    expect(events.slice(1)).toEqual(['2 NodeDataChanged'])
    expect((await failure(client.removeWatches('/a', first))).name).toBe('NoWatcher')
    await client.getChildren('/a', { watch: first })
    await client.removeAllWatches('/a')
    expect(bench.ensemble.leader.tree.watches.size).toBe(0)
    await client.create('/a/b')
    await settle()
    expect(events.slice(2)).toEqual(['1 ChildWatchRemoved'])
  })

  test('local removal works without a server (N38)', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    await client.getChildren('/', { watch: () => {} })
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    await client.removeAllWatches('/', undefined, { local: true })
    expect((await failure(client.removeAllWatches('/'))).name).toBe('NoWatcher')
  })

  test('a watcher that throws harms neither the session nor the others', async () => {
    const bench = new EnsembleBench()
    const client = await bench.connected()
    const uncaught: unknown[] = []
    const listener = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', listener)
    try {
      const seen: string[] = []
      await client.getChildren('/', {
        watch: () => {
          throw new Error('mine')
        },
      })
      await client.getChildren('/', { watch: () => seen.push('other') })
      await client.create('/a')
      await settle()
      expect(seen).toEqual(['other'])
      expect(await client.exists('/a')).not.toBeNull()
    } finally {
      process.off('uncaughtException', listener)
    }
    expect(uncaught).toHaveLength(1)
  })
})

test('a default watcher that also waits for a node hears of a loss once (N34)', async () => {
  const bench = new EnsembleBench()
  const events: WatchedEvent[] = []
  const client = await bench.connected({ watcher: (event) => void events.push(event) })
  await client.create('/a')
  await client.getData('/a', { watch: true })
  await client.getChildren('/a', { watch: true })
  bench.lose(0)
  await settle()
  const lost = events.filter((event) => event.state === KeeperState.Disconnected)
  expect(lost).toHaveLength(1)
})
