/** What the subtrees of a snapshot hold together, and how two snapshots differ in that (P25). */
import { equal } from '../../core/base/bytes.ts'
import type { DataNode } from '../../core/tree/data-node.ts'
import type { DataTree } from '../../core/tree/data-tree.ts'
import { joinPath } from '../../core/tree/path.ts'

interface Sum {
  /** The node itself included. */
  readonly nodes: number
  /** Of data. */
  readonly bytes: number
}

export interface Thresholds {
  readonly nodes: number
  readonly bytes: number
}

/** Lines of subtrees, parents first, siblings in order; `depth` 0: only that of `top`. */
export function* sumLines(tree: DataTree, top: string, depth: number): Generator<string> {
  if (tree.store.node(top) === undefined) throw new Error(`${top} is not in the snapshot`)
  const sums = sumsOf(tree, top)
  yield* levels(tree, top, depth, sums)
}

function* levels(
  tree: DataTree,
  path: string,
  depth: number,
  sums: ReadonlyMap<string, Sum>,
): Generator<string> {
  const sum = sums.get(path)
  if (sum === undefined) return
  yield `${path}: ${words(sum)}`
  if (depth === 0) return
  for (const child of childrenOf(tree, path)) yield* levels(tree, child, depth - 1, sums)
}

/**
 * Lines of what differs from `left` to `right`, parents first: subtrees whose sums differ by more
 * than the thresholds, and where these are 0 also data that has changed in place.
 */
export function* differenceLines(
  left: DataTree,
  right: DataTree,
  thresholds: Thresholds,
): Generator<string> {
  const [before, after] = [sumsOf(left, '/'), sumsOf(right, '/')]
  const isLarge = (nodes: number, bytes: number): boolean =>
    Math.abs(nodes) > thresholds.nodes || Math.abs(bytes) > thresholds.bytes
  const waiting = ['/']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const [was, is] = [before.get(path), after.get(path)]
    const only = was ?? is
    if (only === undefined) continue
    if (was === undefined || is === undefined) {
      const where = was === undefined ? 'second' : 'first'
      if (isLarge(only.nodes, only.bytes)) yield `${path}: only in the ${where}, ${words(only)}`
      continue
    }
    const [nodes, bytes] = [is.nodes - was.nodes, is.bytes - was.bytes]
    const isTouched = !haveSameData(left.store.node(path), right.store.node(path))
    if (isLarge(nodes, bytes)) yield `${path}: ${signed(nodes)} znodes, ${signed(bytes)} bytes`
    else if (isTouched && thresholds.nodes === 0 && thresholds.bytes === 0) {
      yield `${path}: other data`
    }
    const names = new Set([...childrenOf(left, path), ...childrenOf(right, path)])
    waiting.push(...[...names].sort().reverse())
  }
}

/** Each subtree below `top`, children before parents inside. */
function sumsOf(tree: DataTree, top: string): ReadonlyMap<string, Sum> {
  const order: string[] = []
  const waiting = [top]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    order.push(path)
    waiting.push(...childrenOf(tree, path))
  }
  const sums = new Map<string, Sum>()
  for (const path of order.reverse()) {
    let [nodes, bytes] = [1, tree.store.node(path)?.data?.length ?? 0]
    for (const child of childrenOf(tree, path)) {
      nodes += sums.get(child)?.nodes ?? 0
      bytes += sums.get(child)?.bytes ?? 0
    }
    sums.set(path, { nodes, bytes })
  }
  return sums
}

function childrenOf(tree: DataTree, path: string): readonly string[] {
  const names = [...(tree.store.node(path)?.children ?? [])].sort()
  return names.map((name) => joinPath(path, name))
}

function haveSameData(left: DataNode | undefined, right: DataNode | undefined): boolean {
  const [a, b] = [left?.data ?? null, right?.data ?? null]
  return a === null || b === null ? a === b : equal(a, b)
}

function words({ nodes, bytes }: Sum): string {
  return `${nodes} ${nodes === 1 ? 'znode' : 'znodes'}, ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value)
}
