/**
 * Members' real trees (T46): at checkpoints, members at equal zxid have equal digests; at the end
 * every founded member stands at the end of the global log, and its tree is the reference tree.
 */
import { equal } from '../../../src/core/base/bytes.ts'
import type { DataNode } from '../../../src/core/tree/data-node.ts'
import type { DataTree } from '../../../src/core/tree/data-tree.ts'
import type { ReferenceTree } from '../../../src/history/reference-tree.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import type { GlobalLog } from './prefix-consistency.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

/** Steps of all hosts together between two looks at the digests. */
const CHECKPOINT_STEPS = 500

export function checkTrees(world: World, log: GlobalLog, reference: ReferenceTree): void {
  const digests = new Rule(world, 'DigestEquality')
  const shape = new Rule(world, 'TreeInvariants')
  const final = new Rule(world, 'Convergence')
  /** Of committed zxids only: what is applied beyond them may be cut again. */
  const known = new Map<bigint, bigint>()
  let steps = 0
  const compare = (host: HostView, tree: DataTree): void => {
    const { lastProcessed, digest } = tree
    if (digest === null || log.find(lastProcessed) === undefined) return
    const other = known.get(lastProcessed) ?? digest
    known.set(lastProcessed, other)
    digests.holds(digest === other, () => `${host.name} differs at ${hex(lastProcessed)}`)
  }
  world.probe.on('stepped', () => {
    if (++steps % CHECKPOINT_STEPS !== 0 || world.expectsDivergence) return
    for (const host of world.hosts) if (host.tree !== null) compare(host, host.tree)
  })
  world.probe.on('finished', () => {
    for (const host of world.hosts) {
      const { tree } = host
      if (!host.view.isFounded || tree === null) continue
      final.holds(log.applied(host) === log.tip, () => {
        return `${host.name} is at ${hex(log.applied(host))}, the log ends at ${hex(log.tip)}`
      })
      compare(host, tree)
      final.holds(tree.digestMismatches === 0, () => `${host.name} found its digest wrong`)
      compareWithReference(final, host, tree, reference)
      checkShape(shape, host, tree)
    }
  })
}

function compareWithReference(
  rule: Rule,
  host: HostView,
  tree: DataTree,
  reference: ReferenceTree,
): void {
  let count = 0
  for (const path of reference.paths()) {
    count++
    const node = tree.node(path)
    const due = reference.at(path, reference.last)
    const isSame =
      node !== undefined &&
      due !== null &&
      equal(node.data ?? NO_DATA, due.data ?? NO_DATA) &&
      (path.startsWith('/zookeeper') || isCounted(node, path, due.version, reference)) &&
      node.czxid === due.czxid &&
      node.mzxid === due.mzxid &&
      node.ephemeralOwner === due.owner
    rule.holds(isSame, () => `${path} on ${host.name} is not what the log makes of it`)
  }
  const nodes = [...tree.store.nodes()].length
  rule.holds(nodes === count, () => `${host.name} has ${nodes} nodes, the log makes ${count}`)
  const open = reference.openSessions()
  const isSame = tree.sessions.size === open.length && open.every((id) => tree.sessions.has(id))
  rule.holds(isSame, () => `${host.name} has other sessions than the log`)
}

/** Stored cversion = creates (T46, D14). */
function isCounted(
  node: DataNode,
  path: string,
  version: number,
  reference: ReferenceTree,
): boolean {
  const { cversion, pzxid } = node
  const isSameCount = cversion === reference.createsBelow(path)
  return node.version === version && isSameCount && pzxid === reference.pzxidNow(path)
}

function checkShape(rule: Rule, host: HostView, tree: DataTree): void {
  let ephemerals = 0
  for (const node of tree.store.nodes()) {
    const { path, children, ephemeralOwner } = node
    if (ephemeralOwner !== 0n) ephemerals++
    rule.holds(ephemeralOwner === 0n || (children?.size ?? 0) === 0, () => {
      return `${host.name}: the ephemeral ${path} has children`
    })
    rule.holds(ephemeralOwner === 0n || tree.sessions.has(ephemeralOwner), () => {
      return `${host.name}: the owner of ${path} is gone`
    })
    for (const name of children ?? []) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`
      rule.holds(tree.node(child) !== undefined, () => `${host.name}: ${child} is listed only`)
    }
  }
  rule.holds(tree.store.ephemerals.count === ephemerals, () => {
    return `${host.name} lists ${tree.store.ephemerals.count} ephemerals and has ${ephemerals}`
  })
}

const NO_DATA = new Uint8Array(0)
