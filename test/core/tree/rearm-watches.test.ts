import { describe, expect, it } from 'vitest'
import { WatcherType } from '../../../src/core/jute/event-type.ts'
import { rearmWatches, type RearmLists } from '../../../src/core/tree/rearm-watches.ts'
import { TreeDriver } from './tree-driver.ts'

const NOTHING = { data: [], exist: [], child: [], persistent: [], recursive: [] }

function rearm(driver: TreeDriver, lists: Partial<RearmLists>): string[] {
  driver.events.take()
  const all = { relativeZxid: driver.zxid, ...NOTHING, ...lists }
  rearmWatches(driver.tree, driver.tree.watches, 1, all, driver.events)
  return driver.events.take()
}

const has = (driver: TreeDriver, path: string, type: WatcherType): boolean =>
  driver.tree.watches.contains(path, 1, type)

describe('setWatches (N24–N29)', () => {
  it('N24 data: deleted, changed, or registered', () => {
    const driver = new TreeDriver()
    driver.create('/same')
    driver.create('/changed')
    const relativeZxid = driver.zxid
    driver.set('/changed', 'x')
    const data = ['/gone', '/changed', '/same']
    expect(rearm(driver, { relativeZxid, data })).toEqual([
      '1 NodeDeleted /gone',
      '1 NodeDataChanged /changed',
    ])
    expect(data.map((path) => has(driver, path, WatcherType.Data))).toEqual([false, false, true])
  })

  it('N24 exist: created or registered', () => {
    const driver = new TreeDriver()
    driver.create('/here')
    expect(rearm(driver, { exist: ['/here', '/not-yet'] })).toEqual(['1 NodeCreated /here'])
    expect(has(driver, '/here', WatcherType.Any)).toBe(false)
    driver.create('/not-yet')
    expect(driver.events.take()).toEqual(['1 NodeCreated /not-yet'])
  })

  it('N24 child: deleted, children changed, or registered', () => {
    const driver = new TreeDriver()
    driver.create('/quiet')
    driver.create('/grown')
    driver.create('/shrunk')
    driver.create('/shrunk/c')
    const relativeZxid = driver.zxid
    driver.create('/grown/c')
    driver.delete('/shrunk/c')
    driver.set('/quiet', 'data does not count')
    const child = ['/gone', '/grown', '/shrunk', '/quiet']
    expect(rearm(driver, { relativeZxid, child })).toEqual([
      '1 NodeDeleted /gone',
      '1 NodeChildrenChanged /grown',
      '1 NodeChildrenChanged /shrunk',
    ])
    expect(child.map((path) => has(driver, path, WatcherType.Children))).toEqual([
      false,
      false,
      false,
      true,
    ])
  })

  it('N24 exactly the zxid the client saw counts as seen', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    expect(rearm(driver, { relativeZxid: driver.zxid, data: ['/a'], child: ['/a'] })).toEqual([])
  })

  it('N26 persistent watches are registered without catching up', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    driver.set('/a', 'x')
    const lists = { relativeZxid: 0n, persistent: ['/a', '/none'], recursive: ['/r'] }
    expect(rearm(driver, lists)).toEqual([])
    expect(has(driver, '/a', WatcherType.Persistent)).toBe(true)
    expect(has(driver, '/r', WatcherType.PersistentRecursive)).toBe(true)
    driver.create('/a/c')
    expect(driver.events.take()).toEqual(['1 NodeChildrenChanged /a'])
  })

  it('N28 created and deleted meanwhile goes unnoticed, recreated shows as changed', () => {
    const driver = new TreeDriver()
    driver.create('/old')
    const relativeZxid = driver.zxid
    driver.create('/blink')
    driver.delete('/blink')
    driver.delete('/old')
    driver.create('/old')
    expect(rearm(driver, { relativeZxid, exist: ['/blink'], data: ['/old'] })).toEqual([
      '1 NodeDataChanged /old',
    ])
  })

  it('N29 events come in list order, data before exist before child, with zxid −1', () => {
    const driver = new TreeDriver()
    driver.create('/b')
    driver.create('/a')
    const lists = { relativeZxid: 0n, data: ['/a', '/b'], exist: ['/a'], child: ['/'] }
    const before = driver.events.zxids.length
    expect(rearm(driver, lists)).toEqual([
      '1 NodeDataChanged /a',
      '1 NodeDataChanged /b',
      '1 NodeCreated /a',
      '1 NodeChildrenChanged /',
    ])
    expect(driver.events.zxids.slice(before)).toEqual([-1n, -1n, -1n, -1n])
  })
})
