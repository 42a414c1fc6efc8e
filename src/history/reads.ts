/**
 * ReadsShowTheLog: an answer with zxid z shows the state at z and nothing else, on every server.
 * SessionOrder (T44): the zxids that a client sees in a session never decrease, also across
 * servers; with the rule above it never sees the past either. Another client that takes the session
 * over has seen nothing of it, and what was on its way to the first one still arrives there.
 */
import { equal } from '../core/base/bytes.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import type { Stat } from '../core/jute/data-records.ts'
import type { JudgedHistory } from './history-events.ts'
import { describeCall, type Op, type Outcome, sessionOf } from './operation.ts'
import type { NodeVersion, ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

export function checkReads(history: JudgedHistory, tree: ReferenceTree): void {
  const reads = new Rule(history, 'ReadsShowTheLog')
  const order = new Rule(history, 'SessionOrder')
  const seen = new Map<string, bigint>()
  history.probe.on('completed', ({ op, outcome }) => {
    const whose = sessionOf(op)
    const before = seen.get(whose) ?? 0n
    seen.set(whose, outcome.zxid)
    order.holds(outcome.zxid >= before, () => {
      const told = `${hex(outcome.zxid)} by machine ${outcome.server}`
      return `session ${hex(op.session)} is told ${told} after ${hex(before)}`
    })
    if (outcome.isReadOnly === true) return
    checkRead(reads, tree, op, outcome, history.unexplained)
  })
}

export function checkRead(
  rule: Rule,
  tree: ReferenceTree,
  { call }: Op,
  outcome: Outcome,
  unexplained: ReadonlySet<number>,
): void {
  if (call.kind !== 'get' && call.kind !== 'exists' && call.kind !== 'children') return
  // What the ensemble keeps there about itself is in no log.
  if (call.path.startsWith('/zookeeper')) return
  const { zxid, err } = outcome
  if (unexplained.has(err)) return
  const where = (): string => `${describeCall(call)} at ${hex(zxid)} on machine ${outcome.server}`
  const node = tree.at(call.path, zxid)
  const expected = node === null ? ErrorCode.NONODE : ErrorCode.OK
  rule.holds(err === expected, () => `${where()} = ${err} instead of ${expected}`)
  if (node === null) return
  const { stat, data, children } = outcome
  // getChildren of old tells none.
  if (stat !== undefined) {
    rule.holds(isStat(stat, node), () => `${where()}: wrong stat ${describeStat(stat)}`)
    const below = tree.childrenAt(call.path, zxid).length
    const { creates, pzxid } = tree.childrenVersionAt(call.path, zxid)
    // As a client sees it, cversion counts creates and deletes (D20).
    const cversion = 2 * creates - below
    const isSame = stat.numChildren === below && stat.cversion === cversion && stat.pzxid === pzxid
    rule.holds(isSame, () => {
      const due = `${below} children, cversion ${cversion}, pzxid ${hex(pzxid)}`
      const told = `${stat.numChildren}, ${stat.cversion}, ${hex(stat.pzxid)}`
      return `${where()}: ${told} instead of ${due}`
    })
  }
  if (call.kind === 'get') {
    rule.holds(isData(data ?? null, node.data), () => `${where()}: data of another moment`)
  }
  if (call.kind === 'children') {
    const due = tree.childrenAt(call.path, zxid)
    const isSame = children?.length === due.length && due.every((name) => children.includes(name))
    rule.holds(isSame, () => `${where()} = ${String(children)} instead of ${due.join()}`)
  }
}

function isStat(stat: Stat, node: NodeVersion): boolean {
  return (
    stat.czxid === node.czxid &&
    stat.mzxid === node.mzxid &&
    stat.version === node.version &&
    stat.ephemeralOwner === node.owner &&
    stat.dataLength === (node.data?.length ?? 0)
  )
}

function isData(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b)
}

function describeStat(stat: Stat): string {
  return `czxid ${hex(stat.czxid)}, mzxid ${hex(stat.mzxid)}, version ${stat.version}`
}
