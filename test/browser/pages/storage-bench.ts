/**
 * One append batch through the port beside the barest transaction that makes as many bytes durable,
 * in turns, so that both see the same disk.
 */
import { openDB } from 'idb'
import { generateKeys, incarnationOfKey } from '../../../src/adapters/indexeddb/identity.ts'
import { openStorage } from '../../../src/adapters/indexeddb/open-storage.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import type { AppendEffect } from '../../../src/core/zab/effect.ts'

export interface WriteFigures {
  readonly rows: readonly {
    readonly what: string
    readonly rawP50Ms: number
    readonly rawP99Ms: number
    readonly portP50Ms: number
    readonly portP99Ms: number
  }[]
}

const ROUNDS = 200

export async function measureWrites(): Promise<WriteFigures> {
  const raw = await openDB(`raw ${crypto.randomUUID()}`, 1, {
    upgrade: (db) => void db.createObjectStore('log'),
  })
  const keys = await generateKeys()
  const incarnation = incarnationOfKey(keys.publicKey)
  const { storage } = await openStorage({ room: 'bench', incarnation, create: keys })
  await storage.recover()
  await storage.pinFounding(encodeUtf8('record'), encodeUtf8('empty'))
  let counter = 1
  const batch = (count: number, bytes: number): AppendEffect[] =>
    Array.from({ length: count }, () => {
      const zxid = makeZxid(1, counter++)
      return { kind: 'append', zxid, entry: new Uint8Array(bytes) }
    })
  const rows = []
  for (const [count, bytes] of [
    [1, 100],
    [1, 1000],
    [100, 100],
    [500, 100],
  ] as const) {
    const rawMs: number[] = []
    const portMs: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const effects = batch(count, bytes)
      rawMs.push(
        await time(async () => {
          const tx = raw.transaction('log', 'readwrite', { durability: 'strict' })
          void tx.store.put(new Uint8Array(count * (bytes + 12) + 20), [1, counter])
          tx.commit()
          await tx.done
        }),
      )
      portMs.push(await time(() => storage.write(effects)))
    }
    rows.push({
      what: `${count} x ${bytes} B`,
      rawP50Ms: percentile(rawMs, 0.5),
      rawP99Ms: percentile(rawMs, 0.99),
      portP50Ms: percentile(portMs, 0.5),
      portP99Ms: percentile(portMs, 0.99),
    })
  }
  await storage.close()
  raw.close()
  return { rows }
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function percentile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return Number((sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2))
}
