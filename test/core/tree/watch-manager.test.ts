import { describe, expect, it } from 'vitest'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { AddWatchMode, WatcherType } from '../../../src/core/jute/event-type.ts'
import { Perms } from '../../../src/core/jute/perms.ts'
import { permits } from '../../../src/core/tree/acl.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { WatchManager } from '../../../src/core/tree/watch-manager.ts'
import { WatchMode, WatchTable } from '../../../src/core/tree/watch-table.ts'
import { TreeDriver } from './tree-driver.ts'

const { PERSISTENT, PERSISTENT_RECURSIVE } = AddWatchMode

describe('watch table (N5, N42)', () => {
  it('one entry holds all modes and counts once', () => {
    const table = new WatchTable()
    expect(table.add('/a', 1, WatchMode.standard)).toBe(true)
    expect(table.add('/a', 1, WatchMode.standard)).toBe(false)
    expect(table.add('/a', 1, WatchMode.recursive)).toBe(true)
    expect([table.size, table.pathCount, table.recursiveCount]).toEqual([1, 1, 1])
    expect([...(table.fire('/a') ?? [])]).toEqual([1])
    expect(table.modes('/a', 1)).toBe(WatchMode.recursive)
  })

  it('counts recursive entries through every way out', () => {
    const table = new WatchTable()
    for (const watcher of [1, 2, 3]) table.add('/a', watcher, WatchMode.recursive)
    table.add('/a', 1, WatchMode.recursive)
    expect(table.recursiveCount).toBe(3)
    table.remove('/a', 1, WatchMode.recursive)
    table.remove('/a', 2)
    expect(table.recursiveCount).toBe(1)
    table.removeWatcher(3)
    expect([table.recursiveCount, table.size, table.pathCount]).toEqual([0, 0, 0])
    expect(table.fire('/a/b')).toBeNull()
  })

  it('looks at ancestors only while someone watches recursively', () => {
    const table = new WatchTable()
    table.add('/', 1, WatchMode.persistent)
    expect(table.fire('/a/b')).toBeNull()
    table.add('/', 2, WatchMode.recursive)
    expect([...(table.fire('/a/b') ?? [])]).toEqual([2])
    expect([...(table.fire('/') ?? [])]).toEqual([1, 2])
  })

  it('forgets a watcher at no cost to the others', () => {
    const table = new WatchTable()
    table.add('/a', 1, WatchMode.standard)
    table.add('/a', 2, WatchMode.standard)
    table.add('/b', 1, WatchMode.persistent)
    table.removeWatcher(1)
    table.removeWatcher(9)
    expect([table.size, [...table.watchers()], [...table.pathsOf(1)]]).toEqual([1, [2], []])
  })
})

/** One watcher with every mode on /a. */
function full(): WatchManager {
  const manager = new WatchManager()
  manager.addData('/a', 1)
  manager.addChild('/a', 1)
  manager.add('/a', 1, PERSISTENT)
  manager.add('/a', 1, PERSISTENT_RECURSIVE)
  return manager
}

const ALL_TYPES = Object.values(WatcherType)
const held = (manager: WatchManager): number[] =>
  ALL_TYPES.filter((type) => manager.contains('/a', 1, type))

describe('check and remove by type (N38, N40)', () => {
  const rows: [string, WatcherType, WatcherType[]][] = [
    ['Children', WatcherType.Children, [2, 3, 4, 5]],
    ['Data', WatcherType.Data, [1, 3, 4, 5]],
    ['Any', WatcherType.Any, []],
    ['Persistent', WatcherType.Persistent, [1, 2, 3, 5]],
    ['PersistentRecursive', WatcherType.PersistentRecursive, [1, 2, 3, 4]],
  ]
  it.each(rows)('%s', (_name, type, left) => {
    const manager = full()
    expect(held(manager).sort()).toEqual([1, 2, 3, 4, 5])
    expect(manager.remove('/a', 1, type)).toBe(true)
    expect(held(manager).sort()).toEqual(left)
    expect(manager.remove('/a', 1, type)).toBe(false)
  })

  it('is about one path and one watcher', () => {
    const manager = full()
    expect(manager.remove('/b', 1, WatcherType.Any)).toBe(false)
    expect(manager.remove('/a', 2, WatcherType.Any)).toBe(false)
    expect(manager.size).toBe(2)
  })

  it('a persistent watch is taken out of both tables', () => {
    const driver = new TreeDriver()
    driver.tree.watches.add('/', 1, PERSISTENT)
    driver.tree.watches.remove('/', 1, WatcherType.Persistent)
    driver.create('/a')
    expect(driver.events.take()).toEqual([])
  })

  it('closing a connection takes everything of it (N6)', () => {
    const manager = full()
    manager.addData('/b', 2)
    expect(manager.summary()).toEqual({ watchers: 2, paths: 3, watches: 3 })
    expect([manager.countOf(1), manager.countOf(2)]).toEqual([2, 1])
    manager.removeWatcher(1)
    expect(manager.summary()).toEqual({ watchers: 1, paths: 1, watches: 1 })
    expect([...manager.dataPathsOf(2)]).toEqual(['/b'])
    expect([...manager.childPathsOf(1)]).toEqual([])
  })
})

describe('events are filtered by READ (N17)', () => {
  const ann = { scheme: 'digest', id: 'ann:hash' }
  const forAnn: Acl[] = [{ perms: Perms.ALL, id: ann }]
  /** Watcher 1 is ann, 2 is nobody. */
  const ids = (watcher: number) => (watcher === 1 ? [ann] : [])

  function guarded(): TreeDriver {
    const watches = new WatchManager((watcher, acl) => permits(acl, Perms.READ, ids(watcher)))
    return new TreeDriver(new DataTree({ watches }))
  }

  function watchAll(driver: TreeDriver, path: string): void {
    for (const watcher of [1, 2]) {
      driver.tree.watches.addData(path, watcher)
      driver.tree.watches.addChild(path, watcher)
    }
  }

  it("data events follow the node's own list", () => {
    const driver = guarded()
    driver.create('/a', { acl: forAnn })
    watchAll(driver, '/a')
    driver.set('/a', 'x')
    expect(driver.events.take()).toEqual(['1 NodeDataChanged /a'])
  })

  it("NodeCreated follows the new node's list, the child event the parent's", () => {
    const driver = guarded()
    driver.create('/p')
    watchAll(driver, '/p/c')
    watchAll(driver, '/p')
    driver.create('/p/c', { acl: forAnn })
    expect(driver.events.take()).toEqual([
      '1 NodeCreated /p/c',
      '1 NodeChildrenChanged /p',
      '2 NodeChildrenChanged /p',
    ])
  })

  it('NodeDeleted follows the list that the node had (CVE-2024-23944)', () => {
    const driver = guarded()
    driver.create('/p')
    driver.create('/p/c')
    driver.setAcl('/p/c', forAnn)
    driver.tree.watches.add('/', 1, PERSISTENT_RECURSIVE)
    driver.tree.watches.add('/', 2, PERSISTENT_RECURSIVE)
    driver.delete('/p/c')
    expect(driver.events.take()).toEqual(['1 NodeDeleted /p/c'])
  })

  it('a filtered event uses up the watch, and the delete is not told twice', () => {
    const driver = guarded()
    driver.create('/a', { acl: forAnn })
    watchAll(driver, '/a')
    driver.delete('/a')
    expect(driver.events.take()).toEqual(['1 NodeDeleted /a'])
    expect(driver.tree.watches.size).toBe(0)
  })

  it('a manager that knows no ids passes world-readable nodes only', () => {
    const driver = new TreeDriver()
    driver.tree.watches.add('/', 1, PERSISTENT_RECURSIVE)
    driver.create('/secret', { acl: forAnn })
    driver.create('/open')
    expect(driver.events.take()).toEqual(['1 NodeCreated /open'])
  })
})
