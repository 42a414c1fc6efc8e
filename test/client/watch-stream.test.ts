import { describe, expect, test } from 'vitest'
import { eventTypeName } from '../../src/core/jute/event-type.ts'
import { WATCH_STREAM_QUEUE_MAX } from '../../src/client/limits.ts'
import type { WatchStream } from '../../src/client/watch-stream.ts'
import type { WatchedEvent } from '../../src/client/watched-event.ts'
import { EnsembleBench } from './ensemble-bench.ts'
import { settle } from './manual-ticker.ts'

async function next(stream: WatchStream): Promise<string> {
  const result = await stream.next()
  return result.done === true ? 'done' : nameOf(result.value)
}

function nameOf({ type, state, path }: WatchedEvent): string {
  return path === null ? `state ${state}` : `${eventTypeName(type)} ${path}`
}

describe('one-shot kinds', () => {
  test('data: event after event until the node is deleted', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'data' })
    await stream.armed
    for (const data of ['1', '2', '3']) {
      await client.setData('/a', data)
      expect(await next(stream)).toBe('NodeDataChanged /a')
    }
    await client.delete('/a')
    expect(await next(stream)).toBe('NodeDeleted /a')
    expect(await next(stream)).toBe('done')
  })

  test('what is read after an event is never older than it, however fast the writer', async () => {
    const bench = new EnsembleBench()
    const writer = await bench.connected()
    const client = await bench.connected()
    await client.create('/a', '0')
    const stream = client.watch('/a', { kind: 'data' })
    await stream.armed
    const seen: number[] = []
    const reader = (async () => {
      for await (const event of stream) {
        const { stat } = await client.getData('/a')
        expect(stat.mzxid).toBeGreaterThanOrEqual(event.zxid)
        seen.push(stat.version)
        if (stat.version === 50) break
      }
    })()
    for (let i = 1; i <= 50; i++) {
      await writer.setData('/a', String(i))
      if (i % 7 === 0) await settle()
    }
    // The last change is never missed.
    await reader
    expect(seen.at(-1)).toBe(50)
  })

  test('exists: creation and deletion, over and over', async () => {
    const client = await new EnsembleBench().connected()
    const stream = client.watch('/a', { kind: 'exists' })
    await stream.armed
    for (let i = 0; i < 2; i++) {
      await client.create('/a')
      expect(await next(stream)).toBe('NodeCreated /a')
      await settle()
      await client.delete('/a')
      expect(await next(stream)).toBe('NodeDeleted /a')
      await settle()
    }
  })

  test('children; unread repetitions are one event', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'children' })
    await stream.armed
    for (const name of ['x', 'y', 'z']) {
      await client.create(`/a/${name}`)
      await settle()
    }
    expect(await next(stream)).toBe('NodeChildrenChanged /a')
    await client.delete('/a/x')
    expect(await next(stream)).toBe('NodeChildrenChanged /a')
    await stream.return()
    expect(await next(stream)).toBe('done')
  })

  test('a missing node ends a data stream with NoNode, and nothing is unhandled', async () => {
    const client = await new EnsembleBench().connected()
    const stream = client.watch('/none', { kind: 'data' })
    await expect(stream.armed).rejects.toThrow('NoNode for /none')
    await expect(stream.next()).rejects.toThrow('NoNode for /none')
    expect(await next(stream)).toBe('done')
  })

  test('changes while the connection is away are told', async () => {
    const bench = new EnsembleBench({ followers: 1 })
    const other = await bench.connected({ transport: bench.transport(1) })
    const client = await bench.connected()
    await client.create('/a')
    const data = client.watch('/a', { kind: 'data' })
    const children = client.watch('/a', { kind: 'children' })
    await Promise.all([data.armed, children.armed])
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    await other.setData('/a', 'x')
    await other.create('/a/b')
    await bench.pass(3000)
    expect(await next(data)).toBe('NodeDataChanged /a')
    expect(await next(children)).toBe('NodeChildrenChanged /a')
  })

  test('a re-arming that is lost with its connection is done again, the gap is told', async () => {
    const bench = new EnsembleBench({ followers: 1 })
    const other = await bench.connected({ transport: bench.transport(1) })
    const client = await bench.connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'data' })
    await stream.armed
    // The event comes; the answer to the read that arms again does not.
    bench.deafen(0, 1)
    await other.setData('/a', '1')
    expect(await next(stream)).toBe('NodeDataChanged /a')
    await settle()
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    await other.setData('/a', '2')
    await bench.pass(3000)
    expect(await next(stream)).toBe('NodeDataChanged /a')
    await other.setData('/a', '3')
    await settle()
    expect(await next(stream)).toBe('NodeDataChanged /a')
  })

  test('a node that went while no watch was set is told as deleted', async () => {
    const bench = new EnsembleBench({ followers: 1 })
    const other = await bench.connected({ transport: bench.transport(1) })
    const client = await bench.connected()
    await client.create('/a')
    const data = client.watch('/a', { kind: 'data' })
    await data.armed
    bench.deafen(0, 1)
    await other.setData('/a', '1')
    await settle()
    bench.cut.add(0)
    bench.lose(0)
    await settle()
    await other.delete('/a')
    await bench.pass(3000)
    expect(await next(data)).toBe('NodeDataChanged /a')
    expect(await next(data)).toBe('NodeDeleted /a')
    expect(await next(data)).toBe('done')
  })
})

describe('persistent kinds', () => {
  test('recursive: every change below, and the states of the session (N26)', async () => {
    const bench = new EnsembleBench({ followers: 1 })
    const client = await bench.connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'recursive' })
    await stream.armed
    await client.create('/a/b')
    await client.create('/a/b/c')
    await client.setData('/a', 'x')
    expect(await next(stream)).toBe('NodeCreated /a/b')
    expect(await next(stream)).toBe('NodeCreated /a/b/c')
    expect(await next(stream)).toBe('NodeDataChanged /a')
    bench.cut.add(0)
    bench.lose(0)
    await bench.pass(3000)
    expect(await next(stream)).toBe('state 0')
    expect(await next(stream)).toBe('state 3')
    await client.delete('/a/b/c')
    expect(await next(stream)).toBe('NodeDeleted /a/b/c')
  })

  test('a reader that is too slow is told so', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'persistent' })
    await stream.armed
    for (let i = 0; i <= WATCH_STREAM_QUEUE_MAX; i++) await client.setData('/a', '')
    for (let i = 0; i < WATCH_STREAM_QUEUE_MAX; i++) {
      expect(await next(stream)).toBe('NodeDataChanged /a')
    }
    await expect(stream.next()).rejects.toThrow('events wait for the reader')
  })
})

describe('endings', () => {
  test('the signal ends a stream at once and removes its watch', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/a')
    const controller = new AbortController()
    const stream = client.watch('/a', { kind: 'data', signal: controller.signal })
    await stream.armed
    const waiting = stream.next()
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(await next(stream)).toBe('done')
    await settle()
    await expect(client.removeAllWatches('/a')).rejects.toThrow('No such watcher')
  })

  test('breaking out of the loop removes the watch', async () => {
    const client = await new EnsembleBench().connected()
    await client.create('/a')
    const stream = client.watch('/a', { kind: 'persistent' })
    await stream.armed
    await client.setData('/a', 'x')
    for await (const event of stream) {
      expect(nameOf(event)).toBe('NodeDataChanged /a')
      break
    }
    await settle()
    await expect(client.removeAllWatches('/a')).rejects.toThrow('No such watcher')
  })

  test('the end of the session ends every stream with an error', async () => {
    const client = await new EnsembleBench().connected()
    const stream = client.watch('/', { kind: 'children' })
    await stream.armed
    const waiting = expect(stream.next()).rejects.toThrow('Session expired')
    await client.close()
    await waiting
    expect(await next(stream)).toBe('done')
  })
})
