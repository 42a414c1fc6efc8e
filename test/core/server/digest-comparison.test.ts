// The parts of comparing trees: claims in PINGs, who is right, what is done about it, the scrub.
import { describe, expect, test } from 'vitest'
import { toServerId, toZxid } from '../../../src/core/base/zxid.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { touchedSessionsRecord } from '../../../src/core/jute/quorum-records.ts'
import { decode, encode } from '../../../src/core/jute/record.ts'
import { decodePing, encodePing } from '../../../src/core/server/digest-claim.ts'
import { DigestJury } from '../../../src/core/server/digest-jury.ts'
import { Divergence } from '../../../src/core/server/divergence.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { TreeScrub } from '../../../src/core/tree/tree-scrub.ts'

const SESSIONS = [
  { sessionId: 0x1000n, timeout: 4000 },
  { sessionId: 0x2000n, timeout: -50 },
]
const CLAIM = { zxid: toZxid(0x1_0000_0005n), digest: -7n }

describe('a PING', () => {
  test('carries sessions and a claim, or sessions only, or nothing', () => {
    for (const claim of [CLAIM, null]) {
      for (const sessions of [SESSIONS, []]) {
        expect(decodePing(encodePing({ sessions, claim }))).toEqual({ sessions, claim })
      }
    }
    expect(decodePing(new Uint8Array(0))).toEqual({ sessions: [], claim: null })
    expect(() => decodePing(new Uint8Array(13))).toThrow(JuteError)
  })

  test('of a member that knows no claims is read, and reads ours as sessions', () => {
    const old = encode(touchedSessionsRecord, SESSIONS)
    expect(decodePing(old)).toEqual({ sessions: SESSIONS, claim: null })
    const ours = decode(touchedSessionsRecord, encodePing({ sessions: SESSIONS, claim: CLAIM }))
    expect(ours.slice(0, 2)).toEqual(SESSIONS)
    expect(ours).toHaveLength(4)
  })
})

describe('the jury', () => {
  const [one, two, three, four, five, observer] = [1, 2, 3, 4, 5, 200].map(toServerId)
  const voters = [one!, two!, three!, four!, five!]
  const other = { ...CLAIM, digest: 8n }
  const third = { ...CLAIM, digest: 9n }

  test('finds against the leader when a quorum agrees on another tree, and not before', () => {
    const jury = new DigestJury(voters)
    jury.ask(CLAIM)
    expect(jury.answer(two!, other)).toBe(null)
    expect(jury.answer(two!, other)).toBe(null)
    expect(jury.answer(three!, CLAIM)).toBe(null)
    expect(jury.answer(observer!, other)).toBe(null)
    expect(jury.answer(four!, other)).toBe(null)
    expect(jury.answer(five!, other)).toBe(8n)
  })

  test('does not add up those that differ from each other, nor answers of another time', () => {
    const jury = new DigestJury([one!, two!, three!])
    jury.ask(CLAIM)
    expect(jury.answer(two!, other)).toBe(null)
    expect(jury.answer(three!, third)).toBe(null)
    expect(jury.answer(three!, { ...other, zxid: toZxid(4n) })).toBe(null)
    jury.ask(CLAIM)
    expect(jury.answer(three!, other)).toBe(null)
    expect(jury.answer(two!, other)).toBe(8n)
    jury.ask(null)
    expect(jury.answer(two!, other)).toBe(null)
  })
})

describe('a divergence', () => {
  const difference = { zxid: CLAIM.zxid, own: 1n, other: 2n, what: 'another' }
  const at = (elapsedMs: number) => ({ elapsedMs, wallMs: 1_000_000 + elapsedMs })

  test('is cured by the disk, then by snapshots, then not at all', () => {
    const divergence = new Divergence()
    expect(divergence.alarm).toBe(null)
    expect(divergence.healed(at(0))).toBe(false)
    const cures = [0, 1, 2, 3, 4].map((s) => divergence.raise(difference, at(s * 1000)))
    expect(cures).toEqual(['disk', 'snapshot', 'snapshot', 'snapshot', 'none'])
  })

  test('after long enough is a new one', () => {
    const divergence = new Divergence()
    expect(divergence.raise(difference, at(0))).toBe('disk')
    expect(divergence.raise(difference, at(599_999))).toBe('snapshot')
    expect(divergence.raise(difference, at(1_300_000))).toBe('disk')
    expect(divergence.alarm?.count).toBe(3)
  })

  test('stays known after it is healed', () => {
    const divergence = new Divergence()
    divergence.raise(difference, at(0))
    const alarm = { zxid: '0x100000005', ownDigest: '0x1', otherDigest: '0x2', count: 1 }
    expect(divergence.alarm).toMatchObject({ ...alarm, atMs: 1_000_000, healedAtMs: null })
    expect(divergence.healed(at(500))).toBe(true)
    expect(divergence.healed(at(900))).toBe(false)
    expect(divergence.alarm).toMatchObject({ ...alarm, healedAtMs: 1_000_500 })
  })
})

describe('the scrub', () => {
  const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

  function treeOf(count: number): DataTree {
    const tree = new DataTree()
    for (let i = 0; i < count; i++) {
      const header = { clientId: 1n, cxid: i, zxid: BigInt(i + 1), time: 5, type: 1 }
      const data = new Uint8Array([1, 2, i & 255])
      const path = `/n${i}`
      const txn = { path, data, acl: OPEN, ephemeral: false, parentCVersion: i + 1 }
      tree.applyTxn(header, { kind: 'create', ...txn }, null)
    }
    return tree
  }

  function looks(scrub: TreeScrub, count: number): (string | null)[] {
    return Array.from({ length: count }, () => scrub.look())
  }

  test('finds nothing in a tree that only transactions changed', () => {
    const tree = treeOf(1000)
    const scrub = new TreeScrub(tree.store)
    expect(looks(scrub, 12)).toEqual(Array(12).fill(null))
    tree.applyTxn(
      { clientId: 1n, cxid: 1, zxid: 2000n, time: 6, type: 5 },
      { kind: 'setData', path: '/n7', data: new Uint8Array([9]), version: 1 },
      null,
    )
    expect(looks(scrub, 12)).toEqual(Array(12).fill(null))
  })

  test.each([
    ['a bit of data', 'data'],
    ['a version', 'version'],
    ['a time', 'mtime'],
    ['an owner', 'ephemeralOwner'],
  ] as const)('finds %s that changed by itself, wherever it is', (_, field) => {
    for (const path of ['/n0', '/n500', '/n999']) {
      const tree = treeOf(1000)
      const scrub = new TreeScrub(tree.store)
      looks(scrub, 3)
      const node = tree.node(path)!
      if (field === 'data') node.data?.fill(4)
      else if (field === 'ephemeralOwner') node.ephemeralOwner ^= 1n
      else node[field] += 1
      expect(looks(scrub, 12)).toContain(path)
    }
  })
})
