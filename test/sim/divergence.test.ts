// A member whose tree is not what it should be: found, out of service, and well again; in each
// role, by itself and by comparison (P22). Under all checkers: what clients read stays right, and
// at the end all trees are alike.
import { describe, expect, test, vi } from 'vitest'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import type { DataNode } from '../../src/core/tree/data-node.ts'
import { listen } from './checkers/all-checkers.ts'
import type { SimHost } from './sim-host.ts'
import { World } from './world.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

type Diverged = Extract<TraceEvent, { readonly type: 'diverged' }>

interface Seen {
  readonly sid: number
  readonly event: Diverged
}

function begun(snapCount: number): { world: World; seen: Seen[] } {
  const world = new World({
    seed: 1,
    draw: {
      voters: 3,
      clients: 6,
      linkDelayMs: [0.3, 3],
      linkSpikeChance: 0,
      diskDelayMs: [0.5, 4],
      snapCount,
      thinkMs: 30,
      pipeline: 4,
      observers: 0,
      clockDrift: 0,
      foundingMs: 300,
      oldMembers: 0,
      localSessions: false,
      readOnlyMode: false,
      hasOrigin: false,
      restores: false,
    },
  })
  const seen: Seen[] = []
  world.expectsDivergence = true
  listen(world)
  world.probe.on('trace', ({ host, event }) => {
    if (event.type === 'diverged') seen.push({ sid: host.sid, event })
  })
  world.begin()
  world.runFor(4000)
  return { world, seen }
}

function byRole(world: World, isLeading: boolean): SimHost {
  const host = world.hosts.find((one) => one.isLeading === isLeading)
  if (host === undefined) throw new Error('no such member yet')
  return host
}

/** No client looks at it, and the digest counts it (P20). */
function quietNode(host: SimHost): DataNode {
  const node = host.tree?.node('/zookeeper')
  if (node === undefined) throw new Error('no tree')
  return node
}

/** Memory that changed by itself: the sum of the digest does not know. */
function flipBit(host: SimHost): void {
  const node = quietNode(host)
  node.mtime += 1
}

/** A transaction that was carried out wrongly: the sum is that of what is there. */
function applyWrongly(host: SimHost): void {
  const node = quietNode(host)
  const store = host.tree?.store
  store?.beforeChange(node)
  node.mtime += 1
  store?.afterChange(node)
}

function isWell(host: SimHost): boolean {
  const status = host.machine?.status(host.now())
  return status?.serving === true && typeof status.alarm?.healedAtMs === 'number'
}

const NEVER = 1_000_000
const OFTEN = 12

describe.each([
  ['a follower', false],
  ['the leader', true],
])('%s', (_, isLeading) => {
  test('whose memory changed finds it itself, and builds its tree from its disk', () => {
    const { world, seen } = begun(NEVER)
    const host = byRole(world, isLeading)
    flipBit(host)
    world.runFor(5000)
    expect(seen.map(({ sid }) => sid)).toEqual([host.sid])
    expect(seen[0]?.event).toMatchObject({ otherDigest: null, cure: 'disk' })
    expect(seen[0]?.event.what).toBe('/zookeeper changed without a transaction')
    expect(isWell(host)).toBe(true)
    world.converge()
    expect(world.violation).toBe(null)
    const alarm = host.machine?.status(host.now()).alarm
    expect(alarm).toMatchObject({ count: 1, zxid: seen[0]?.event.zxid })
  })

  test('that applied something wrongly is told by the others', () => {
    const { world, seen } = begun(NEVER)
    const host = byRole(world, isLeading)
    applyWrongly(host)
    world.runFor(6000)
    expect(seen.map(({ sid }) => sid)).toEqual([host.sid])
    expect(seen[0]?.event.cure).toBe('disk')
    expect(seen[0]?.event.otherDigest).not.toBe(seen[0]?.event.ownDigest)
    expect(isWell(host)).toBe(true)
    world.converge()
    expect(world.violation).toBe(null)
  })

  test('whose disk has it as well takes the snapshot of another leader', () => {
    const { world, seen } = begun(OFTEN)
    const host = byRole(world, isLeading)
    applyWrongly(host)
    world.runFor(12_000)
    expect(new Set(seen.map(({ sid }) => sid))).toEqual(new Set([host.sid]))
    expect(seen.map(({ event }) => event.cure)).toEqual(['disk', 'snapshot'])
    expect(isWell(host)).toBe(true)
    world.converge()
    expect(world.violation).toBe(null)
  })
})

test('a member that is never well for long halts, and says why', () => {
  const { world, seen } = begun(NEVER)
  const host = byRole(world, false)
  for (let round = 0; round < 8 && world.violation === null; round++) {
    if (host.tree !== null) flipBit(host)
    world.runFor(6000)
  }
  const cures = seen.map(({ event }) => event.cure)
  expect(cures).toEqual(['disk', 'snapshot', 'snapshot', 'snapshot'])
  expect(world.violation?.checker).toBe('NoHalt')
  expect(world.violation?.what).toContain('changed without a transaction, again and again')
})
