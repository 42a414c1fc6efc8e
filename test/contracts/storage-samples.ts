/** What the cases of the storage contract are made of. */
import { concat } from '../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { makeZxid, type Zxid } from '../../src/core/base/zxid.ts'
import { encode } from '../../src/core/jute/record.ts'
import { txnHeaderRecord } from '../../src/core/jute/txn-records.ts'
import type {
  AppendEffect,
  RecoveredState,
  SnapshotChunkEffect,
  SnapshotCommitEffect,
} from '../../src/core/zab/effect.ts'
import type { Storage } from '../../src/ports/storage.ts'

/** One disk. Each case gets a fresh one. */
export interface StorageHarness {
  /** A start of the member: opens the same disk again, as another process would. */
  open(): Promise<Storage>
  /** The process dies: what was not durable is lost. The instance is not used again. */
  crash(storage: Storage): Promise<void>
  /** The newest log value comes back damaged. */
  tearTail(): Promise<void>
  /** A log value before the newest comes back damaged. */
  corruptLog(): Promise<void>
}

export interface ContractCase {
  readonly name: string
  run(harness: StorageHarness): Promise<void>
}

export const RECORD: Uint8Array = encodeUtf8('the founding record')
/** The end of every snapshot: without it none is whole (P14). */
const SEAL = '\u0000\u0000\u0000\u0001/'
export const EMPTY: Uint8Array = encodeUtf8(`an empty snapshot${SEAL}`)

export function z(epoch: number, counter: number): Zxid {
  return makeZxid(epoch, counter)
}

/** A transaction's header says its zxid; files are read by it (P3). */
export function append(zxid: Zxid, text = `entry ${zxid}`): AppendEffect {
  const header = encode(txnHeaderRecord, { clientId: 1n, cxid: 1, zxid, time: 0, type: 0 })
  return { kind: 'append', zxid, entry: concat([header, encodeUtf8(text)]) }
}

/** Entries 1…count of `epoch`, from `first` on. */
export function appends(epoch: number, first: number, last: number): AppendEffect[] {
  const effects: AppendEffect[] = []
  for (let counter = first; counter <= last; counter++) effects.push(append(z(epoch, counter)))
  return effects
}

export function chunk(id: number, index: number, text: string): SnapshotChunkEffect {
  return { kind: 'snapshot-chunk', id, index, bytes: encodeUtf8(text + SEAL) }
}

export function commit(id: number, zxid: Zxid, chunks: number): SnapshotCommitEffect {
  return { kind: 'snapshot-commit', id, zxid, chunks, install: false }
}

export function install(
  id: number,
  zxid: Zxid,
  chunks: number,
  epoch: number,
): SnapshotCommitEffect {
  return { kind: 'snapshot-commit', id, zxid, chunks, install: true, currentEpoch: epoch }
}

export function shortZxid(zxid: Zxid): string {
  return `${zxid >> 32n}.${zxid & 0xffff_ffffn}`
}

export function counters(state: RecoveredState): string[] {
  return state.log.map(({ zxid }) => shortZxid(zxid))
}

export function snapshotText({ snapshot }: RecoveredState): string | null {
  if (snapshot === null) return null
  const text = snapshot.chunks.map((bytes) => new TextDecoder().decode(bytes)).join('')
  return text.split(SEAL).slice(0, -1).join('|')
}

/** A founded storage, ready to write. */
export async function founded(harness: StorageHarness): Promise<Storage> {
  const storage = await harness.open()
  await storage.recover()
  await storage.pinFounding(RECORD, EMPTY)
  return storage
}

export async function crashAndRecover(
  harness: StorageHarness,
  storage: Storage,
): Promise<RecoveredState> {
  await harness.crash(storage)
  return (await harness.open()).recover()
}
