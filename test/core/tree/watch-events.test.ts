/**
 * The operation → event table (N7–N16), row by row: every change × every way to watch × every
 * place, alone, in pairs and in threes on one connection.
 */
import { describe, expect, it } from 'vitest'
import { AddWatchMode } from '../../../src/core/jute/event-type.ts'
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import type { WatchManager } from '../../../src/core/tree/watch-manager.ts'
import { TreeDriver } from './tree-driver.ts'

/** data: getData or exists (one table, N1); child: getChildren. */
const KINDS = ['data', 'child', 'persistent', 'recursive'] as const
const PLACES = ['/', '/p', '/p/c', '/p/c/g'] as const
type Watch = `${(typeof KINDS)[number]} ${(typeof PLACES)[number]}`
const WATCHES: Watch[] = PLACES.flatMap((place) => KINDS.map((kind): Watch => `${kind} ${place}`))

const OWNER = 0x100n

interface Row {
  readonly row: string
  readonly change: string
  /** Brings the tree to where the change is possible. */
  readonly before: (driver: TreeDriver) => void
  readonly run: (driver: TreeDriver) => void
  /** The events in order, each with the watches that hear it. */
  readonly events: readonly (readonly [string, readonly Watch[]])[]
}

/** Everyone who hears of a change of /p/c itself. */
const NODE_WATCHES: Watch[] = [
  'data /p/c',
  'persistent /p/c',
  'recursive /p/c',
  'recursive /p',
  'recursive /',
]
const PARENT_WATCHES: Watch[] = ['child /p', 'persistent /p']

const withParent = (driver: TreeDriver): void => {
  driver.open(OWNER)
  driver.create('/p')
}
const withNode = (driver: TreeDriver): void => {
  withParent(driver)
  driver.create('/p/c')
}

const ROWS: readonly Row[] = [
  {
    row: 'N7',
    change: 'create',
    before: withParent,
    run: (d) => d.create('/p/c'),
    events: [
      ['NodeCreated /p/c', NODE_WATCHES],
      ['NodeChildrenChanged /p', PARENT_WATCHES],
    ],
  },
  {
    row: 'N7',
    change: 'create of an ephemeral',
    before: withParent,
    run: (d) => d.create('/p/c', { owner: OWNER }),
    events: [
      ['NodeCreated /p/c', NODE_WATCHES],
      ['NodeChildrenChanged /p', PARENT_WATCHES],
    ],
  },
  {
    row: 'N8',
    change: 'delete',
    before: withNode,
    run: (d) => d.delete('/p/c'),
    events: [
      ['NodeDeleted /p/c', [...NODE_WATCHES, 'child /p/c']],
      ['NodeChildrenChanged /p', PARENT_WATCHES],
    ],
  },
  {
    row: 'N8',
    change: 'end of the session that owns it',
    before: (d) => {
      withParent(d)
      d.create('/p/c', { owner: OWNER })
    },
    run: (d) => d.close(OWNER),
    events: [
      ['NodeDeleted /p/c', [...NODE_WATCHES, 'child /p/c']],
      ['NodeChildrenChanged /p', PARENT_WATCHES],
    ],
  },
  {
    row: 'N9',
    change: 'setData',
    before: withNode,
    run: (d) => d.set('/p/c', 'x'),
    events: [['NodeDataChanged /p/c', NODE_WATCHES]],
  },
  {
    row: 'N9',
    change: 'setData with the same bytes',
    before: (d) => {
      withNode(d)
      d.set('/p/c', 'x')
    },
    run: (d) => d.set('/p/c', 'x'),
    events: [['NodeDataChanged /p/c', NODE_WATCHES]],
  },
  {
    row: 'N10',
    change: 'setACL',
    before: withNode,
    run: (d) => d.setAcl('/p/c', READ_ACL_UNSAFE),
    events: [],
  },
  {
    row: 'N11',
    change: 'create of a grandchild',
    before: withNode,
    run: (d) => d.create('/p/c/g'),
    events: [
      [
        'NodeCreated /p/c/g',
        [
          'data /p/c/g',
          'persistent /p/c/g',
          'recursive /p/c/g',
          'recursive /p/c',
          'recursive /p',
          'recursive /',
        ],
      ],
      ['NodeChildrenChanged /p/c', ['child /p/c', 'persistent /p/c']],
    ],
  },
  {
    row: 'N15',
    change: 'multi of create, setData and delete',
    before: withParent,
    run: (d) =>
      d.apply({
        kind: 'multi',
        txns: [
          d.createTxn('/p/c'),
          { kind: 'setData', path: '/p', data: null, version: 1 },
          { kind: 'delete', path: '/p/c' },
        ],
      }),
    events: [
      ['NodeCreated /p/c', NODE_WATCHES],
      ['NodeChildrenChanged /p', PARENT_WATCHES],
      ['NodeDataChanged /p', ['data /p', 'persistent /p', 'recursive /p', 'recursive /']],
      // One-shot entries that the create used up are gone.
      ['NodeDeleted /p/c', [...NODE_WATCHES.filter((w) => w !== 'data /p/c'), 'child /p/c']],
      ['NodeChildrenChanged /p', ['persistent /p']],
    ],
  },
  {
    row: 'N15',
    change: 'failed multi',
    before: withParent,
    run: (d) =>
      d.apply({ kind: 'multi', txns: [d.createTxn('/p/c'), { kind: 'error', err: -101 }] }),
    events: [],
  },
  {
    row: 'N16',
    change: 'session creation',
    before: withNode,
    run: (d) => d.open(0x200n),
    events: [],
  },
  {
    row: 'N16',
    change: 'check',
    before: withNode,
    run: (d) => d.apply({ kind: 'check', path: '/p/c', version: 0 }),
    events: [],
  },
]

function register(manager: WatchManager, watch: Watch, watcher: number): void {
  const [kind, place] = watch.split(' ') as [string, string]
  if (kind === 'data') manager.addData(place, watcher)
  else if (kind === 'child') manager.addChild(place, watcher)
  else if (kind === 'persistent') manager.add(place, watcher, AddWatchMode.PERSISTENT)
  else manager.add(place, watcher, AddWatchMode.PERSISTENT_RECURSIVE)
}

function prepared({ before }: Row, watchesOf: ReadonlyMap<number, readonly Watch[]>): TreeDriver {
  const driver = new TreeDriver(new DataTree({ digest: false }))
  before(driver)
  driver.events.take()
  for (const [watcher, watches] of watchesOf) {
    for (const watch of watches) register(driver.tree.watches, watch, watcher)
  }
  return driver
}

/** What one connection with these watches must hear, in order. */
function expected(row: Row, watches: readonly Watch[], watcher = 1): string[] {
  return row.events
    .filter(([, hearers]) => hearers.some((hearer) => watches.includes(hearer)))
    .map(([event]) => `${watcher} ${event}`)
}

function observed(row: Row, watches: readonly Watch[]): string[] {
  const driver = prepared(row, new Map([[1, watches]]))
  row.run(driver)
  return driver.events.take()
}

describe.each(ROWS)('$row $change', (row) => {
  it.each(WATCHES)('one watch: %s', (watch) => {
    expect(observed(row, [watch])).toEqual(expected(row, [watch]))
  })

  it('any two or three watches of one connection: each event once, in order (N5, N12)', () => {
    for (const [i, a] of WATCHES.entries()) {
      for (const [j, b] of WATCHES.slice(i + 1).entries()) {
        for (const c of [a, ...WATCHES.slice(i + j + 2)]) {
          const watches = [...new Set([a, b, c])]
          expect(observed(row, watches), watches.join(' + ')).toEqual(expected(row, watches))
        }
      }
    }
  })

  it('one connection per watch: all of one event before the next, each connection once', () => {
    const watchesOf = new Map(WATCHES.map((watch, i) => [i + 1, [watch]]))
    const driver = prepared(row, watchesOf)
    row.run(driver)
    const events = driver.events.take()
    const wanted = row.events.map(([event, hearers]) =>
      hearers.map((hearer) => `${WATCHES.indexOf(hearer) + 1} ${event}`).sort(),
    )
    const seen: string[][] = []
    for (const hearers of wanted) seen.push(events.splice(0, hearers.length).sort())
    expect(seen).toEqual(wanted)
    expect(events).toEqual([])
  })

  it('no sink, no event, and no watch is used up', () => {
    const driver = prepared(row, new Map([[1, WATCHES]]))
    const silent = new TreeDriver(new DataTree({ digest: false }))
    row.before(silent)
    const size = driver.tree.watches.size
    row.run(silent)
    const last = silent.applied.at(-1)!
    driver.tree.applyTxn(last.header, last.txn, null)
    expect(driver.tree.watches.size).toBe(size)
  })
})

describe('what stays after an event (N14)', () => {
  it.each(['data /p/c', 'child /p/c', 'child /p'] as Watch[])('%s fires once', (watch) => {
    const row = ROWS.find(({ change }) => change === 'delete')!
    const driver = prepared(row, new Map([[1, [watch]]]))
    row.run(driver)
    expect(driver.events.take()).toHaveLength(1)
    expect(driver.tree.watches.size).toBe(0)
    driver.create('/p/c')
    driver.delete('/p/c')
    expect(driver.events.take()).toEqual([])
  })

  it.each(['persistent /p/c', 'recursive /p/c', 'recursive /'] as Watch[])(
    '%s sees every change (N23)',
    (watch) => {
      const driver = prepared(ROWS[0]!, new Map([[1, [watch]]]))
      driver.create('/p/c')
      driver.set('/p/c', 'a')
      driver.set('/p/c', 'b')
      driver.delete('/p/c')
      driver.create('/p/c')
      expect(driver.events.take()).toEqual([
        '1 NodeCreated /p/c',
        '1 NodeDataChanged /p/c',
        '1 NodeDataChanged /p/c',
        '1 NodeDeleted /p/c',
        '1 NodeCreated /p/c',
      ])
    },
  )

  it('setData uses up what getData and exists left together', () => {
    const driver = prepared(ROWS[4]!, new Map([[1, ['data /p/c', 'data /p/c']]]))
    driver.set('/p/c', 'a')
    driver.set('/p/c', 'b')
    expect(driver.events.take()).toEqual(['1 NodeDataChanged /p/c'])
  })

  it('a child watch is used up by a delete that the data watch reports (N8)', () => {
    const driver = prepared(ROWS[2]!, new Map([[1, ['data /p/c', 'child /p/c']]]))
    driver.delete('/p/c')
    expect(driver.events.take()).toEqual(['1 NodeDeleted /p/c'])
    expect(driver.tree.watches.size).toBe(0)
  })
})

describe('the transaction behind an event (W16, N21)', () => {
  it('its zxid comes with it, and one closeSession has one', () => {
    const driver = prepared(ROWS[0]!, new Map([[1, ['recursive /', 'persistent /p']]]))
    driver.create('/p/a', { owner: OWNER })
    driver.create('/p/b', { owner: OWNER, acl: OPEN_ACL_UNSAFE })
    const created = [...driver.events.zxids]
    driver.close(OWNER)
    const closed = driver.events.zxids.slice(created.length)
    expect(new Set(created).size).toBe(2)
    expect(closed).toHaveLength(4)
    expect(new Set(closed)).toEqual(new Set([driver.zxid]))
  })
})
