import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { EventType, WatcherType } from '../../src/core/jute/event-type.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { setWatches2Record, setWatchesRecord } from '../../src/core/jute/session-records.ts'
import { decode } from '../../src/core/jute/record.ts'
import { setWatchesBatches } from '../../src/client/set-watches.ts'
import { WatchTables, type WatchKind } from '../../src/client/watch-tables.ts'
import type { Watcher } from '../../src/client/watched-event.ts'
import { bodyOf, SessionBench } from './session-bench.ts'

const { OK, NONODE, NOAUTH } = ErrorCode
const { NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged } = EventType

/** Tables with one watcher on /p of a kind, set by a reply of this code. */
function armed(kind: WatchKind, err: number, path = '/p'): [WatchTables, Watcher] {
  const tables = new WatchTables()
  const watcher: Watcher = () => {}
  tables.register({ kind, path, watcher }, err)
  return [tables, watcher]
}

describe('where a watch lands when the reply comes (N32, N27)', () => {
  const rows: [WatchKind, number, keyof ReturnType<WatchTables['paths']> | 'nowhere'][] = [
    ['data', OK, 'data'],
    ['data', NONODE, 'nowhere'],
    ['data', NOAUTH, 'nowhere'],
    ['exists', OK, 'data'],
    ['exists', NONODE, 'exist'],
    ['exists', NOAUTH, 'nowhere'],
    ['child', OK, 'child'],
    ['child', NONODE, 'nowhere'],
    ['persistent', OK, 'persistent'],
    ['persistent', NONODE, 'persistent'],
    ['persistent', NOAUTH, 'nowhere'],
    ['recursive', OK, 'recursive'],
    ['recursive', NONODE, 'recursive'],
  ]
  test.each(rows)('%s answered with %i → %s', (kind, err, table) => {
    const [tables] = armed(kind, err)
    for (const [name, paths] of Object.entries(tables.paths())) {
      expect([name, paths]).toEqual([name, name === table ? ['/p'] : []])
    }
  })
})

describe('who is told, and what that consumes (N33)', () => {
  const all = [NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged]
  const rows: [WatchKind, number, readonly EventType[], boolean][] = [
    ['data', OK, [NodeCreated, NodeDeleted, NodeDataChanged], true],
    ['exists', NONODE, [NodeCreated, NodeDeleted, NodeDataChanged], true],
    ['child', OK, [NodeDeleted, NodeChildrenChanged], true],
    ['persistent', OK, all, false],
    ['recursive', OK, [NodeCreated, NodeDeleted, NodeDataChanged], false],
  ]
  test.each(rows)('%s (%i)', (kind, err, told, isConsumed) => {
    for (const type of all) {
      const [tables, watcher] = armed(kind, err)
      const isTold = told.includes(type)
      expect(tables.fire(type, '/p')).toEqual(isTold ? [watcher] : [])
      expect(tables.fire(type, '/other')).toEqual([])
      expect(tables.all()).toEqual(isTold && isConsumed ? [] : [watcher])
    }
  })

  test('recursive watches hear of everything below, and only of that (N13)', () => {
    const [tables, watcher] = armed('recursive', OK)
    expect(tables.fire(NodeCreated, '/p/a/b')).toEqual([watcher])
    expect(tables.fire(NodeChildrenChanged, '/p/a')).toEqual([])
    expect(tables.fire(NodeCreated, '/pa')).toEqual([])
    const [root, top] = armed('recursive', OK, '/')
    expect(root.fire(NodeDeleted, '/x')).toEqual([top])
  })

  test('a watcher in several tables is told once (N34)', () => {
    const tables = new WatchTables()
    const watcher: Watcher = () => {}
    for (const kind of ['data', 'exists', 'child', 'persistent', 'recursive'] as const) {
      tables.register({ kind, path: '/p', watcher }, OK)
    }
    expect(tables.fire(NodeDeleted, '/p')).toEqual([watcher])
    expect(tables.all()).toEqual([watcher])
  })

  test('client-made and unknown event types tell nobody', () => {
    const [tables] = armed('persistent', OK)
    expect(tables.fire(EventType.DataWatchRemoved, '/p')).toEqual([])
    expect(tables.fire(99 as EventType, '/p')).toEqual([])
  })
})

describe('removal (N37–N39)', () => {
  const kinds: [WatchKind, WatcherType, EventType][] = [
    ['data', WatcherType.Data, EventType.DataWatchRemoved],
    ['child', WatcherType.Children, EventType.ChildWatchRemoved],
    ['persistent', WatcherType.Persistent, EventType.PersistentWatchRemoved],
    ['recursive', WatcherType.PersistentRecursive, EventType.PersistentWatchRemoved],
  ]
  test.each(kinds)('of %s watches touches only their own tables', (kind, type, event) => {
    for (const [, other] of kinds) {
      const [tables, watcher] = armed(kind, OK)
      expect(tables.has('/p', other, watcher)).toBe(other === type)
      const removed = tables.remove({ path: '/p', type: other, watcher: null, isLocal: false })
      expect(removed).toEqual(other === type ? [{ type: event, watchers: [watcher] }] : [])
      expect(tables.all()).toEqual(other === type ? [] : [watcher])
    }
  })

  test('of one watcher leaves the others, and Any finds every table', () => {
    const [tables, first] = armed('data', OK)
    const second: Watcher = () => {}
    tables.register({ kind: 'exists', path: '/p', watcher: second }, NONODE)
    tables.register({ kind: 'child', path: '/p', watcher: second }, OK)
    expect(tables.hasOther('/p', WatcherType.Any, first)).toBe(true)
    expect(tables.hasOther('/p', WatcherType.Children, second)).toBe(false)
    const { Any } = WatcherType
    expect(tables.remove({ path: '/p', type: Any, watcher: first, isLocal: false })).toEqual([
      { type: EventType.DataWatchRemoved, watchers: [first] },
    ])
    expect(tables.remove({ path: '/p', type: Any, watcher: null, isLocal: false })).toEqual([
      { type: EventType.ChildWatchRemoved, watchers: [second] },
      { type: EventType.DataWatchRemoved, watchers: [second] },
    ])
    expect(tables.all()).toEqual([])
  })
})

describe('setWatches (W57, N24)', () => {
  const none = { data: [], exist: [], child: [], persistent: [], recursive: [] }

  test('nothing to arm: nothing to send', () => {
    expect(setWatchesBatches(none, 5n)).toEqual([])
  })

  test('the older form as long as it says enough', () => {
    const [one, ...others] = setWatchesBatches({ ...none, data: ['/a'], exist: ['/b'] }, 5n)
    expect(others).toEqual([])
    expect(one?.type).toBe(OpCode.setWatches)
    expect(decode(setWatchesRecord, one?.body ?? new Uint8Array(0))).toEqual({
      relativeZxid: 5n,
      dataWatches: ['/a'],
      existWatches: ['/b'],
      childWatches: [],
    })
  })

  test('batches by characters, each path once, persistent ones in setWatches2', () => {
    const paths = Array.from({ length: 3000 }, (_, i) => `/${'x'.repeat(95)}${1000 + i}`)
    const batches = setWatchesBatches({ ...none, child: paths, recursive: ['/r'] }, 5n)
    expect(batches.length).toBeGreaterThan(2)
    const seen: string[] = []
    for (const { type, body } of batches) {
      expect(body.length).toBeLessThan(150 * 1024)
      const isSecond = type === OpCode.setWatches2
      const batch = isSecond ? decode(setWatches2Record, body) : decode(setWatchesRecord, body)
      seen.push(...batch.childWatches)
    }
    expect(seen).toEqual(paths)
    const last = decode(setWatches2Record, batches.at(-1)?.body ?? new Uint8Array(0))
    expect(last.persistentRecursiveWatches).toEqual(['/r'])
  })

  test('on a new connection, with the zxid of the last reply, not of an event', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.read(1, 'data', '/a', 'w')
    bench.answer(OpCode.getData, { zxid: 20n })
    bench.read(2, 'exists', '/none', 'w')
    bench.answer(OpCode.exists, { err: NONODE, zxid: 21n })
    bench.read(3, 'child', '/a', 'v')
    bench.answer(OpCode.getChildren, { zxid: 22n })
    bench.read(4, 'recursive', '/r', 'r')
    bench.answer(OpCode.addWatch, { zxid: 22n })
    // One of several events of transaction 30: the others may be lost with the connection.
    bench.notify(NodeCreated, '/r/x', 30n)
    bench.lose()
    bench.sent.length = 0
    bench.connect()
    expect(bench.connectRequests.at(-1)?.lastZxidSeen).toBe(30n)
    expect(bodyOf(setWatches2Record, bench.sent[0])).toEqual({
      relativeZxid: 22n,
      dataWatches: ['/a'],
      existWatches: ['/none'],
      childWatches: ['/a'],
      persistentWatches: [],
      persistentRecursiveWatches: ['/r'],
    })
    bench.said()
    bench.notify(NodeDataChanged, '/a', -1n)
    bench.answer(OpCode.setWatches2)
    bench.notify(NodeChildrenChanged, '/a')
    bench.notify(NodeDataChanged, '/a')
    expect(bench.said()).toEqual(['NodeDataChanged /a w', 'NodeChildrenChanged /a v'])
  })

  test('session events reach every watcher and consume none (N35)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.read(1, 'data', '/a', 'w')
    bench.answer(OpCode.getData)
    bench.read(2, 'persistent', '/b', 'p')
    bench.answer(OpCode.addWatch)
    bench.said()
    bench.lose()
    expect(bench.said()).toEqual(['state CONNECTING', 'Disconnected p+w'])
    bench.connect()
    expect(bench.said()).toEqual(['state CONNECTED', 'SyncConnected p+w'])
    bench.notify(NodeDataChanged, '/a')
    expect(bench.said()).toEqual(['NodeDataChanged /a w'])
  })

  test('a request that was given up registers nothing', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.read(1, 'data', '/a', 'w')
    bench.step({ kind: 'cancel', id: 1 })
    bench.answer(OpCode.getData)
    bench.said()
    bench.notify(NodeDataChanged, '/a')
    expect(bench.said()).toEqual([])
  })
})
