/** Snapshots to the disk while serving (P16) and what a restore makes of them. */
import { expect, test } from 'vitest'
import type { SnapshotChunkEffect, SnapshotCommitEffect } from '../../../src/core/zab/effect.ts'
import { FakeEnsemble } from './fake-ensemble.ts'

function chunks(ensemble: FakeEnsemble): SnapshotChunkEffect[] {
  return ensemble.others.filter((e) => e.kind === 'snapshot-chunk')
}

function commits(ensemble: FakeEnsemble): SnapshotCommitEffect[] {
  return ensemble.others.filter((e) => e.kind === 'snapshot-commit')
}

test('after half to all of snapCount transactions, once, at a random count per seed', () => {
  const counts = [1, 2, 3, 4, 5, 6].map((seed) => {
    const ensemble = new FakeEnsemble({ snapCount: 100, seed })
    const client = ensemble.session()
    while (commits(ensemble).length === 0) {
      client.setData('/', 'x')
      ensemble.pass(1)
    }
    return ensemble.log.length
  })
  for (const count of counts) {
    expect(count).toBeGreaterThanOrEqual(50)
    expect(count).toBeLessThanOrEqual(101)
  }
  expect(new Set(counts).size).toBeGreaterThan(2)
})

test('by size, in slices, exact as of its start, and it restores', () => {
  const ensemble = new FakeEnsemble({ snapSizeBytes: 1_000_000 })
  const client = ensemble.session()
  const data = 'x'.repeat(100_000)
  for (let i = 0; i < 10; i++) client.create(`/n${i}`, data)
  ensemble.pass(1)
  const zxid = ensemble.leader.lastProcessed()
  const digest = ensemble.leader.tree.digest
  expect(commits(ensemble)).toEqual([])
  for (let i = 0; i < 10; i++) {
    client.setData(`/n${i}`, 'changed meanwhile')
    ensemble.pass(1)
  }
  const [commit] = commits(ensemble)
  expect(commit).toMatchObject({ zxid, install: false, chunks: chunks(ensemble).length })
  expect(chunks(ensemble).map(({ index }) => index)).toEqual([...chunks(ensemble).keys()])

  const other = new FakeEnsemble()
  const bytes = chunks(ensemble).map((chunk) => chunk.bytes)
  other.leader.restore({ zxid, chunks: bytes }, [])
  expect(other.leader.lastProcessed()).toBe(zxid)
  expect(other.leader.tree.digest).toBe(digest)
  expect(other.leader.tree.sessions.has(client.session)).toBe(true)

  const log = ensemble.log.filter((entry) => entry.zxid > zxid)
  other.leader.restore({ zxid, chunks: bytes }, log)
  expect(other.leader.tree.digest).toBe(ensemble.leader.tree.digest)
})

test('service that ends abandons a running snapshot', () => {
  const ensemble = new FakeEnsemble({ snapSizeBytes: 500_000 })
  const client = ensemble.session()
  const data = 'x'.repeat(100_000)
  for (let i = 0; i < 10; i++) client.create(`/n${i}`, data)
  ensemble.pass(1)
  const [first] = chunks(ensemble)
  ensemble.stop()
  expect(ensemble.others.at(-1)).toEqual({ kind: 'snapshot-abandon', id: first?.id })
  expect(ensemble.leader.tree.store.observerCount).toBe(0)
  ensemble.pass(1000)
  expect(commits(ensemble)).toEqual([])
})
