/** Every Storage reads back parts of its log (Storage.readLog). */
import type { Zxid } from '../../src/core/base/zxid.ts'
import type { LogRange } from '../../src/core/zab/effect.ts'
import { checkEqual } from './check.ts'
import {
  append,
  appends,
  chunk,
  commit,
  counters,
  crashAndRecover,
  founded,
  install,
  shortZxid,
  z,
  type ContractCase,
} from './storage-samples.ts'

function read(range: LogRange | null): readonly [string, readonly string[]] | null {
  return range === null
    ? null
    : [shortZxid(range.from), range.entries.map((e) => shortZxid(e.zxid))]
}

export const RANGE_CASES: readonly ContractCase[] = [
  {
    name: 'a part of the log is read back: behind a zxid, and up to one',
    async run(harness) {
      const storage = await founded(harness)
      for (let i = 1; i <= 9; i += 3) await storage.write(appends(1, i, i + 2))
      await storage.write(appends(2, 1, 3))
      const bytesMax = 1_000_000
      const ask = async (after: Zxid, upTo: Zxid): ReturnType<typeof storage.readLog> =>
        storage.readLog({ after, upTo, bytesMax })
      const all = await ask(z(1, 7), z(2, 2))
      checkEqual(read(all), ['1.7', ['1.8', '1.9', '2.1', '2.2']], 'over an epoch')
      checkEqual(all?.entries[0]?.entry, append(z(1, 8)).entry, 'bytes')
      checkEqual(read(await ask(z(1, 1), z(1, 1))), ['1.1', []], 'nothing')
      checkEqual(read(await ask(z(1, 12), z(2, 1))), ['1.9', ['2.1']], 'behind what is not there')
      checkEqual(read(await ask(z(2, 3), z(3, 1))), ['2.3', []], 'behind the newest')
      checkEqual(await ask(z(1, 0), z(2, 2)), null, 'before the oldest')
      await storage.write(appends(2, 4, 4))
      checkEqual(read(await ask(z(2, 3), z(2, 4))), ['2.3', ['2.4']], 'and what came since')
    },
  },
  {
    name: 'a part of the log comes in pieces of so many bytes, one entry at least',
    async run(harness) {
      const storage = await founded(harness)
      const sizes = [10, 70_000, 10, 200_000, 10, 10]
      await storage.write(sizes.map((size, i) => append(z(1, i + 1), 'x'.repeat(size))))
      await storage.write(appends(1, 7, 3000))
      const upTo = z(1, 2999)
      const pieces: number[] = []
      let after = z(1, 1)
      for (let i = 0; i < 100 && after < upTo; i++) {
        const bytesMax = i < 3 ? 1 : 100_000
        const range = await storage.readLog({ after, upTo, bytesMax })
        checkEqual(range?.from, after, 'goes on')
        const bytes = range?.entries.reduce((sum, { entry }) => sum + entry.length, 0) ?? 0
        const last = range?.entries.at(-1)
        checkEqual(bytes - (last?.entry.length ?? 0) < bytesMax, true, 'no more than asked for')
        for (const { zxid } of range?.entries ?? []) {
          checkEqual(zxid, after + 1n, 'no entry is missing')
          after = zxid
        }
        pieces.push(range?.entries.length ?? 0)
      }
      checkEqual(after, upTo, 'all of it')
      checkEqual(pieces.slice(0, 3), [1, 1, 1], 'one at least')
    },
  },
  {
    name: 'the log behind older snapshots is there; behind an installed one there is none',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write([...appends(1, 1, 4), chunk(1, 0, 'a'), commit(1, z(1, 4), 1)])
      await storage.write([...appends(1, 5, 8), chunk(2, 0, 'b'), commit(2, z(1, 8), 1)])
      await storage.write(appends(1, 9, 9))
      const wanted = { after: z(1, 6), upTo: z(1, 9), bytesMax: 1_000_000 }
      checkEqual(read(await storage.readLog(wanted)), ['1.6', ['1.7', '1.8', '1.9']], 'older')
      await storage.write([{ kind: 'truncate', to: z(1, 8) }])
      await storage.write(appends(2, 1, 1))
      const later = { ...wanted, upTo: z(2, 1) }
      checkEqual(read(await storage.readLog(later)), ['1.6', ['1.7', '1.8', '2.1']], 'cut')
      await storage.write([chunk(3, 0, 'c'), install(3, z(2, 5), 1, 2)])
      await storage.write(appends(2, 6, 7))
      checkEqual(await storage.readLog({ ...wanted, upTo: z(2, 7) }), null, 'installed')
      const newest = { after: z(2, 6), upTo: z(2, 7), bytesMax: 1 }
      checkEqual(read(await storage.readLog(newest)), ['2.6', ['2.7']], 'behind it')
    },
  },
  {
    name: 'reading a part of the log and writing on at the same time',
    async run(harness) {
      const storage = await founded(harness)
      await storage.write(appends(1, 1, 50))
      const wanted = { after: z(1, 1), upTo: z(1, 50), bytesMax: 1_000_000 }
      const [range] = await Promise.all([
        storage.readLog(wanted),
        storage.write(appends(1, 51, 60)),
        storage.write([...appends(1, 61, 70), chunk(1, 0, 's'), commit(1, z(1, 65), 1)]),
      ])
      checkEqual([range?.from, range?.entries.length], [z(1, 1), 49], 'read')
      const recovered = await crashAndRecover(harness, storage)
      checkEqual(counters(recovered), ['1.66', '1.67', '1.68', '1.69', '1.70'], 'written')
    },
  },
  {
    name: 'damage ends what is read back of the log, and not the storage',
    async run(harness) {
      const storage = await founded(harness)
      for (let i = 1; i <= 3; i++) await storage.write(appends(1, i, i))
      await harness.corruptLog()
      const wanted = { after: z(1, 1), upTo: z(1, 3), bytesMax: 1_000_000 }
      checkEqual(await storage.readLog(wanted), null, 'damaged')
      await storage.write(appends(1, 4, 4))
    },
  },
]
