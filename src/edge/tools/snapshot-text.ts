/** A snapshot as ZooKeeper's SnapshotFormatter prints it, and its JSON (ncdu's format). */
import { javaDate } from '../../cli/java-date.ts'
import { toBase64 } from '../../core/base/bytes.ts'
import type { DataNode } from '../../core/tree/data-node.ts'
import type { DataTree } from '../../core/tree/data-tree.ts'
import { nameOf } from '../../core/tree/path.ts'

export interface SnapshotTextOptions {
  /** Each znode's data in base64, in place of its length. */
  readonly showsData: boolean
  /** The file's. */
  readonly zxid: bigint
  readonly timeZone?: string
}

/** The lines of SnapshotFormatter, one at a time: a tree may be large. */
export function* snapshotLines(tree: DataTree, options: SnapshotTextOptions): Generator<string> {
  let last = options.zxid
  const owned = new Map<bigint, number>()
  yield `ZNode Details (count=${tree.store.nodeCount}):`
  for (const node of depthFirst(tree)) {
    for (const zxid of [node.mzxid, node.pzxid]) if (zxid > last) last = zxid
    owned.set(node.ephemeralOwner, (owned.get(node.ephemeralOwner) ?? 0) + 1)
    yield* nodeLines(node, options)
  }
  yield '----'
  yield 'Session Details (sid, timeout, ephemeralCount):'
  for (const [id, timeoutMs] of tree.sessions)
    yield `${hex(id)}, ${timeoutMs}, ${owned.get(id) ?? 0}`
  if (tree.digest !== null) {
    const digest = BigInt.asIntN(64, tree.digest)
    yield `Target zxid digest is: ${options.zxid.toString(16)}, ${digest}`
  }
  yield '----'
  yield `Last zxid: 0x${last.toString(16)}`
}

function* nodeLines(node: DataNode, options: SnapshotTextOptions): Generator<string> {
  const { data } = node
  const date = (ms: number): string => javaDate(ms, options.timeZone)
  yield '----'
  yield shownPath(node)
  yield `  cZxid = ${hex(node.czxid)}`
  yield `  ctime = ${date(node.ctime)}`
  yield `  mZxid = ${hex(node.mzxid)}`
  yield `  mtime = ${date(node.mtime)}`
  yield `  pZxid = ${hex(node.pzxid)}`
  yield `  cversion = ${node.cversion}`
  yield `  dataVersion = ${node.version}`
  yield `  aclVersion = ${node.aversion}`
  yield `  ephemeralOwner = ${hex(node.ephemeralOwner)}`
  if (options.showsData) yield `  data = ${data === null ? '' : toBase64(data)}`
  else yield `  dataLength = ${data?.length ?? 0}`
}

/** Parents before children, each subtree together. */
function* depthFirst(tree: DataTree): Generator<DataNode> {
  const waiting = ['']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const node = tree.store.node(path)
    if (node === undefined) continue
    yield node
    const names = [...(node.children ?? [])]
    for (const name of names.reverse()) waiting.push(`${path}/${name}`)
  }
}

export function* snapshotJson(tree: DataTree, nowMs: number): Generator<string> {
  const about = { progname: 'zabra snapshot', progver: '1', timestamp: nowMs }
  yield `[1,0,${JSON.stringify(about)},`
  let [ino, depth] = [1000, 0]
  for (const node of depthFirst(tree)) {
    const level = node.path === '' || node.path === '/' ? 0 : node.path.split('/').length - 1
    const isDirectory = (node.children?.size ?? 0) > 0
    const size = node.data?.length ?? 0
    const name = level === 0 ? '/' : nameOf(node.path)
    const item = { name, asize: size, dsize: size, dev: 0, ino: ++ino }
    const separator = ino === 1001 ? '' : `${']'.repeat(Math.max(0, depth - level))},\n`
    yield `${separator}${isDirectory ? '[' : ''}${JSON.stringify(item)}`
    depth = isDirectory ? level + 1 : level
  }
  yield `${']'.repeat(depth)}]`
}

function shownPath({ path }: DataNode): string {
  return path === '' ? '/' : path
}

/** Java's %#016x. */
function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(14, '0')}`
}
