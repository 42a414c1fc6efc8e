/**
 * What every Storage must do, as cases that know no test framework: Vitest runs them against
 * memory, a page runs them against IndexedDB in a real browser.
 */
import { concat } from '../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import type { Zxid } from '../../src/core/base/zxid.ts'
import type { PersistEffect } from '../../src/core/zab/effect.ts'
import { PEER_TOKENS_MAX, START_CHAIN_MAX } from '../../src/ports/storage.ts'
import { checkEqual, checkRejects } from './check.ts'
import { RANGE_CASES } from './log-range-cases.ts'
import {
  append,
  appends,
  chunk,
  commit,
  counters,
  crashAndRecover,
  EMPTY,
  founded,
  install,
  RECORD,
  snapshotText,
  z,
  type ContractCase,
} from './storage-samples.ts'

const FOUNDING_CASES: readonly ContractCase[] = [
  {
    name: 'a fresh storage holds nothing and may not vote: no snapshot (Q18, P15)',
    async run(harness) {
      const storage = await harness.open()
      const expected = {
        acceptedEpoch: 0,
        currentEpoch: 0,
        snapshot: null,
        log: [],
        droppedTail: 0,
      }
      checkEqual(await storage.recover(), expected, 'recovered')
      checkEqual((await storage.meta()).founding, null, 'founding')
    },
  },
  {
    name: 'pinning writes the record and the empty snapshot of zxid 0 together',
    async run(harness) {
      const storage = await founded(harness)
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(recovered.snapshot, { zxid: 0n, chunks: [EMPTY] }, 'snapshot')
      checkEqual([recovered.acceptedEpoch, recovered.currentEpoch], [0, 0], 'epochs')
      checkEqual((await (await harness.open()).meta()).founding, RECORD, 'record')
    },
  },
  {
    name: 'the same record is pinned again in peace, another is refused and the storage goes on',
    async run(harness) {
      const storage = await founded(harness)
      await storage.pinFounding(RECORD.slice(), EMPTY)
      await checkRejects(storage.pinFounding(encodeUtf8('another'), EMPTY), 'already-founded')
      await storage.write([append(z(1, 1))])
      checkEqual((await storage.meta()).founding, RECORD, 'record')
      checkEqual(counters(await storage.recover()), ['1.1'], 'log')
    },
  },
  {
    name: 'a storage that was given a state keeps it when the record is pinned',
    async run(harness) {
      const storage = await harness.open()
      await storage.recover()
      await storage.write([chunk(1, 0, 'brought'), install(1, z(7, 42), 1, 7)])
      await storage.pinFounding(RECORD, null)
      const now = await crashAndRecover(harness, storage)
      checkEqual([snapshotText(now), now.currentEpoch], ['brought', 7], 'kept')
    },
  },
  {
    name: 'every start adds a token to the chain and a life',
    async run(harness) {
      const chains: (readonly string[])[] = []
      for (let life = 1; life <= 3; life++) {
        const storage = await harness.open()
        const meta = await storage.meta()
        checkEqual(meta.lives, life, 'lives')
        chains.push(meta.startChain)
        await harness.crash(storage)
      }
      checkEqual(chains[2]?.slice(0, 2), chains[1], 'the chain grows at its end')
      checkEqual(new Set(chains[2]).size, 3, 'distinct tokens')
    },
  },
  {
    name: 'chain and peer tokens are bounded; the newest stay',
    async run(harness) {
      let storage = await harness.open()
      for (let life = 2; life <= START_CHAIN_MAX + 3; life++) {
        await harness.crash(storage)
        storage = await harness.open()
      }
      const { startChain, lives } = await storage.meta()
      checkEqual([startChain.length, lives], [START_CHAIN_MAX, START_CHAIN_MAX + 3], 'chain')
      for (let peer = 0; peer < PEER_TOKENS_MAX; peer++) {
        await storage.rememberPeerToken(`peer${peer}`, 'old')
      }
      await storage.rememberPeerToken('peer0', 'new')
      await storage.rememberPeerToken('late', 'first')
      const { peerTokens } = await storage.meta()
      checkEqual(Object.keys(peerTokens).length, PEER_TOKENS_MAX, 'peers')
      checkEqual([peerTokens['peer0'], peerTokens['late']], ['new', 'first'], 'newest')
      checkEqual(peerTokens['peer1'], undefined, 'not heard of for longest')
    },
  },
]

const LOG_CASES: readonly ContractCase[] = [
  {
    name: 'what was written is there after a crash, in order, with both epochs',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([{ kind: 'accepted-epoch', epoch: 1 }])
      await storage.write([...appends(1, 1, 3), { kind: 'current-epoch', epoch: 1 }])
      await storage.write(appends(1, 4, 5))
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(counters(recovered), ['1.1', '1.2', '1.3', '1.4', '1.5'], 'log')
      checkEqual([recovered.acceptedEpoch, recovered.currentEpoch], [1, 1], 'epochs')
      checkEqual(recovered.log[3]?.entry, append(z(1, 4)).entry, 'bytes')
    },
  },
  {
    name: 'entries larger than a value, ones without a body, and a batch of many values',
    async run(harness) {
      const storage = await founded(harness)
      const entries = [300_000, 0, 64_999, 65_000, 1].map((size, index) =>
        append(z(1, index + 1), String(index).repeat(size)),
      )
      await storage.write(entries)
      await storage.write(appends(1, 6, 3000))
      const { log } = await crashAndRecover(harness, storage)
      checkEqual(log.length, 3000, 'entries')
      for (const [index, { entry }] of entries.entries()) {
        checkEqual(log[index]?.entry.length, entry.length, 'length')
        checkEqual(log[index]?.entry.at(-1), entry.at(-1), 'content')
      }
      checkEqual(log[2999]?.entry, append(z(1, 3000)).entry, 'newest')
    },
  },
  {
    name: 'entries are views that outlive later writes of the caller',
    async run(harness) {
      const storage = await founded(harness)
      const { entry } = append(z(1, 1))
      const { bytes } = chunk(1, 0, 'mine')
      const backing = concat([encodeUtf8('....'), entry, bytes, encodeUtf8('....')])
      const middle = 4 + entry.length
      await storage.write([
        { kind: 'append', zxid: z(1, 1), entry: backing.subarray(4, middle) },
        { ...chunk(1, 0, ''), bytes: backing.subarray(middle, middle + bytes.length) },
      ])
      checkEqual((await storage.recover()).log[0]?.entry, entry, 'entry')
      await storage.write([commit(1, z(1, 1), 1)])
      const { snapshot } = await crashAndRecover(harness, storage)
      checkEqual(snapshot?.chunks, [bytes], 'chunk')
    },
  },
  {
    name: 'truncate removes the entries after a zxid, inside a batch too, and goes on from there',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write(appends(1, 1, 10))
      await storage.write(appends(1, 11, 12))
      await storage.write([{ kind: 'truncate', to: z(1, 4) }])
      checkEqual(counters(await storage.recover()), ['1.1', '1.2', '1.3', '1.4'], 're-read')
      await storage.write(appends(2, 1, 2))
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(counters(recovered), ['1.1', '1.2', '1.3', '1.4', '2.1', '2.2'], 'log')
    },
  },
  {
    name: 'truncate to a zxid between entries, at the newest, and to nothing',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write(appends(1, 1, 3))
      await storage.write(appends(3, 1, 3))
      await storage.write([{ kind: 'truncate', to: z(3, 3) }])
      checkEqual((await storage.recover()).log.length, 6, 'nothing to cut')
      await storage.write([{ kind: 'truncate', to: z(2, 7) }])
      checkEqual(counters(await storage.recover()), ['1.1', '1.2', '1.3'], 'between')
      await storage.write([append(z(4, 1)), { kind: 'truncate', to: z(0, 0) }])
      checkEqual(counters(await storage.recover()), [], 'everything')
      await storage.write([append(z(4, 2))])
      checkEqual(counters(await crashAndRecover(harness, storage)), ['4.2'], 'goes on')
    },
  },
  {
    name: 'a torn newest value is dropped, said, and written over',
    async run(harness) {
      let storage = await founded(harness)
      await storage.write(appends(1, 1, 2))
      await storage.write(appends(1, 3, 5))
      await harness.crash(storage)
      await harness.tearTail()
      storage = await harness.open()
      const recovered = await storage.recover()
      checkEqual([counters(recovered), recovered.droppedTail], [['1.1', '1.2'], 3], 'dropped')
      await storage.write(appends(1, 3, 3))
      const again = await crashAndRecover(harness, storage)
      checkEqual(counters(again), ['1.1', '1.2', '1.3'], 'repaired')
    },
  },
  {
    name: 'what a torn tail dropped is said again at every start until a leader synchronised',
    async run(harness) {
      let storage = await founded(harness)
      await storage.write(appends(1, 1, 2))
      await harness.crash(storage)
      await harness.tearTail()
      storage = await harness.open()
      checkEqual((await storage.recover()).droppedTail, 2, 'first start')
      await harness.crash(storage)
      storage = await harness.open()
      checkEqual((await storage.recover()).droppedTail, 2, 'second start')
      await storage.write([...appends(1, 1, 2), { kind: 'accepted-epoch', epoch: 2 }])
      checkEqual((await storage.recover()).droppedTail, 2, 'not yet')
      await storage.write([{ kind: 'current-epoch', epoch: 2 }])
      checkEqual((await storage.recover()).droppedTail, 0, 'synchronised')
      await harness.crash(storage)
      checkEqual((await (await harness.open()).recover()).droppedTail, 0, 'for good')
    },
  },
  {
    name: 'calls take effect in their order, one at a time',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write(appends(1, 1, 5))
      const [, seen, , later] = await Promise.all([
        storage.write([{ kind: 'truncate', to: z(1, 2) }]),
        storage.recover(),
        storage.write(appends(2, 1, 2)),
        storage.recover(),
      ])
      checkEqual(counters(seen), ['1.1', '1.2'], 'before the second write')
      checkEqual(counters(later), ['1.1', '1.2', '2.1', '2.2'], 'after it')
    },
  },
  {
    name: 'damage before the tail is corruption, never a shorter log',
    async run(harness) {
      let storage = await founded(harness)
      for (let i = 1; i <= 3; i++) await storage.write(appends(1, i, i))
      await harness.crash(storage)
      await harness.corruptLog()
      storage = await harness.open()
      await checkRejects(storage.recover(), 'corrupt')
    },
  },
]

const SNAPSHOT_CASES: readonly ContractCase[] = [
  {
    name: 'a local snapshot shortens what is replayed; chunks come in any batches',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([...appends(1, 1, 4), chunk(7, 0, 'a')])
      await storage.write([chunk(7, 1, 'b'), ...appends(1, 5, 6), chunk(7, 2, 'c')])
      await storage.write([commit(7, z(1, 4), 3), ...appends(1, 7, 7)])
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(snapshotText(recovered), 'a|b|c', 'snapshot')
      checkEqual(counters(recovered), ['1.5', '1.6', '1.7'], 'log after it')
    },
  },
  {
    name: 'chunks and commit in one batch',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([...appends(1, 1, 2), chunk(1, 0, 's'), commit(1, z(1, 2), 1)])
      const recovered = await crashAndRecover(harness, storage)
      checkEqual([snapshotText(recovered), counters(recovered)], ['s', []], 'recovered')
    },
  },
  {
    name: 'an installed snapshot replaces log, older snapshots and epoch in one write (Q36)',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([{ kind: 'accepted-epoch', epoch: 5 }, ...appends(1, 1, 9)])
      await storage.write([chunk(1, 0, 'local'), commit(1, z(1, 5), 1)])
      await storage.write([chunk(2, 0, 'from the leader')])
      await storage.write([install(2, z(4, 2), 1, 5)])
      await storage.write(appends(5, 1, 1))
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(snapshotText(recovered), 'from the leader', 'snapshot')
      checkEqual(counters(recovered), ['5.1'], 'log')
      checkEqual([recovered.acceptedEpoch, recovered.currentEpoch], [5, 5], 'epochs')
    },
  },
  {
    name: 'an installed snapshot may be older than the log it replaces',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write(appends(3, 1, 9))
      await storage.write([chunk(1, 0, 's'), install(1, z(2, 2), 1, 4)])
      await storage.write(appends(2, 3, 3))
      const recovered = await crashAndRecover(harness, storage)
      checkEqual([recovered.snapshot?.zxid, counters(recovered)], [z(2, 2), ['2.3']], 'recovered')
    },
  },
  {
    name: 'chunks never committed are invisible, gone at the next start, and their id is free',
    async run(harness) {
      let storage = await founded(harness)
      await storage.write([chunk(1, 0, 'half'), ...appends(1, 1, 1)])
      await harness.crash(storage)
      storage = await harness.open()
      checkEqual(snapshotText(await storage.recover()), 'an empty snapshot', 'invisible')
      await storage.write([chunk(1, 0, 'whole')])
      await storage.write([commit(1, z(1, 1), 1)])
      checkEqual(snapshotText(await crashAndRecover(harness, storage)), 'whole', 'snapshot')
    },
  },
  {
    name: 'an abandoned snapshot leaves nothing; beginning anew replaces it',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([chunk(1, 0, 'x'), chunk(1, 1, 'y'), ...appends(1, 1, 1)])
      await storage.write([{ kind: 'snapshot-abandon', id: 1 }])
      await storage.write([chunk(2, 0, 'old start'), chunk(2, 0, 'p'), chunk(2, 1, 'q')])
      await storage.write([commit(2, z(1, 1), 2)])
      checkEqual(snapshotText(await crashAndRecover(harness, storage)), 'p|q', 'snapshot')
    },
  },
  {
    name: 'many snapshots: the newest counts, the log stays whole behind it (P18)',
    async run(harness) {
      const storage = await founded(harness)
      for (let i = 1; i <= 6; i++) {
        await storage.write(appends(1, 10 * i, 10 * i + 9))
        await storage.write([chunk(i, 0, `snapshot ${i}`), commit(i, z(1, 10 * i + 4), 1)])
      }
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(snapshotText(recovered), 'snapshot 6', 'newest')
      checkEqual(counters(recovered), ['1.65', '1.66', '1.67', '1.68', '1.69'], 'log')
    },
  },
]

const OWNER_CASES: readonly ContractCase[] = [
  {
    name: 'an earlier holder can write no more: not-owner, nothing written, failed said',
    async run(harness) {
      const earlier = await founded(harness)
      const later = await harness.open()
      await later.recover()
      await checkRejects(earlier.write(appends(1, 1, 1)), 'not-owner')
      checkEqual((await earlier.failed).code, 'not-owner', 'failed')
      await checkRejects(earlier.write(appends(1, 1, 1)), 'not-owner')
      await later.write(appends(1, 2, 2))
      checkEqual(counters(await later.recover()), ['1.2'], 'log')
    },
  },
  {
    name: 'neither tokens nor a founding record of an earlier holder get in',
    async run(harness) {
      const earlier = await harness.open()
      await earlier.recover()
      const later = await harness.open()
      await later.recover()
      await checkRejects(earlier.pinFounding(RECORD, EMPTY), 'not-owner')
      await checkRejects(earlier.rememberPeerToken('peer', 'token'), 'not-owner')
      const meta = await later.meta()
      checkEqual([meta.founding, meta.peerTokens], [null, {}], 'meta')
    },
  },
  {
    name: 'a closed storage refuses',
    async run(harness) {
      const storage = await founded(harness)
      await storage.close()
      await checkRejects(storage.write(appends(1, 1, 1)), 'closed')
      const again = await harness.open()
      checkEqual(counters(await again.recover()), [], 'log')
    },
  },
]

/** Any sequence of writes, crashed after any of them, recovers to what a plain list says. */
const RANDOM_CASE: ContractCase = {
  name: 'random writes equal a plain list after every crash',
  async run(harness) {
    let storage = await founded(harness)
    let model: Zxid[] = []
    let state = 12345
    const random = (bound: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return Math.floor((state / 2 ** 32) * bound)
    }
    let floor = z(0, 0)
    let next = 1
    for (let round = 1; round <= 60; round++) {
      const batch: PersistEffect[] = []
      for (let i = random(5); i > 0; i--) {
        batch.push(append(z(1, next)))
        model.push(z(1, next++))
      }
      const dice = random(10)
      const at = model[random(model.length)] ?? floor
      if (dice === 0 && at >= floor) {
        batch.push({ kind: 'truncate', to: at })
        model = model.filter((zxid) => zxid <= at)
      } else if (dice === 1 && at >= floor) {
        batch.push(chunk(round, 0, `${at}`), commit(round, at, 1))
        floor = at
      }
      await storage.write(batch)
      if (random(4) === 0) {
        await harness.crash(storage)
        storage = await harness.open()
        const recovered = await storage.recover()
        const expected = model.filter((zxid) => zxid > floor)
        checkEqual(
          recovered.log.map((entry) => entry.zxid),
          expected,
          `log of round ${round}`,
        )
        checkEqual(recovered.snapshot?.zxid, floor, `snapshot of round ${round}`)
      }
    }
  },
}

export const STORAGE_CONTRACT: readonly ContractCase[] = [
  ...FOUNDING_CASES,
  ...LOG_CASES,
  ...RANGE_CASES,
  ...SNAPSHOT_CASES,
  ...OWNER_CASES,
  RANDOM_CASE,
]
