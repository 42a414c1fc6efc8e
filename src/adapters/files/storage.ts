/**
 * The Storage port on files of ZooKeeper's own format: a directory that Apache ZooKeeper wrote
 * opens here, and one written here opens there (P1–P18). One exception: killed between the entries
 * of a new epoch and that epoch, a member leaves a directory that Apache refuses ("current epoch is
 * older than the last zxid") until it has been started here and has synchronised.
 *
 * A batch is no transaction on files, but a prefix of it is what a crash leaves, and the core
 * orders its effects so that every prefix is sound (Q36): entries are on the disk before the epoch
 * that follows them, and a snapshot before it counts. Only a leader's snapshot must change many
 * files at once: it is announced in `zabra.json` first and carried through at the next start if
 * need be.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { equal } from '../../core/base/bytes.ts'
import { assert, unreachable } from '../../core/base/assert.ts'
import { formatZxid, toZxid, ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import {
  PEER_TOKENS_MAX,
  SNAPSHOTS_RETAINED,
  START_CHAIN_MAX,
  StorageError,
  type LogEntry,
  type LogRange,
  type LogWanted,
  type MemberMeta,
  type PersistEffect,
  type Recovered,
  type SnapshotCommitEffect,
  type Storage,
} from '../../ports/storage.ts'
import type { DiskPace } from './disk-pace.ts'
import { readEpochs, writeEpoch } from './epoch-files.ts'
import { VERSION_DIRECTORY, type SnapshotPacking } from './file-names.ts'
import { readMemberFile, writeMemberFile, type MemberFile } from './member-file.ts'
import { OwnerFile } from './owner-file.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { newestOf, PREALLOCATE_BYTES, REMEDY, TxnLog } from './txn-log.ts'

export interface FileStorageOptions {
  readonly dataDirectory: string
  /** dataLogDir: the logs on a disk of their own. Default the data directory (P1). */
  readonly logDirectory?: string
  /** Unique per start. */
  readonly token: string
  /** preAllocSize in bytes; 0 = files grow as they are written (P5). */
  readonly preallocateBytes?: number
  /** forceSync; false trades safety for speed (P6). */
  readonly forceSync?: boolean
  /** autopurge: newest snapshots that stay, null = all of them (P18). Default 3. */
  readonly snapshotsRetained?: number | null
  /** txnLogSizeLimitInKb in bytes; 0 = a new file only after a snapshot (P7). */
  readonly logFileBytes?: number
  /** snapshot.compression.method, of snapshots to come; all are read. Default plain. */
  readonly snapshotPacking?: SnapshotPacking
  /**
   * snapshot.trust.empty: logs without any snapshot begin with this one, the empty tree's. Default:
   * they are refused (P15).
   */
  readonly trustedEmptySnapshot?: Uint8Array
  /**
   * Damaged last entries, which may have been acknowledged. 'drop' (default): they are cut off and
   * counted in `droppedTail`, until others say what they were. 'refuse': for a server alone.
   */
  readonly damagedTail?: 'drop' | 'refuse'
  /** Says which writes to wait for on the event loop. Default: none of them. */
  readonly pace?: DiskPace
  /** A sync took longer than fsync.warningthresholdms (P6). */
  readonly onSlowSync?: (elapsedMs: number) => void
  readonly now?: () => number
}

/** fsync.warningthresholdms (P6). */
const SLOW_SYNC_MS = 1_000

export class FileStorage implements Storage {
  readonly failed: Promise<StorageError>
  readonly #options: FileStorageOptions
  readonly #directory: string
  readonly #log: TxnLog
  readonly #snapshots: SnapshotFiles
  readonly #owner: OwnerFile
  #member: MemberFile
  #last: Zxid = ZXID_NONE
  #failure: StorageError | null = null
  #resolveFailed: (error: StorageError) => void = () => undefined
  /** null: nothing is under way. */
  #tail: Promise<unknown> | null = null

  /** Throws StorageError when the directory cannot be used. */
  constructor(options: FileStorageOptions) {
    this.#options = options
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
    this.#directory = versionDirectory(options.dataDirectory)
    this.#owner = new OwnerFile(this.#directory)
    this.#snapshots = new SnapshotFiles(this.#directory, options.snapshotPacking)
    this.#log = new TxnLog({
      directory: versionDirectory(options.logDirectory ?? options.dataDirectory),
      preallocateBytes: options.preallocateBytes ?? PREALLOCATE_BYTES,
      forceSync: options.forceSync ?? true,
      pace: options.pace ?? null,
    })
    this.#member = readMemberFile(this.#directory)
    const lives = this.#member.lives + 1
    const chain = [...this.#member.startChain, `${lives}.${options.token}`]
    this.#remember({ lives, startChain: chain.slice(-START_CHAIN_MAX) })
    this.#snapshots.clearStaged(this.#member.installing?.staged ?? null)
    this.#install()
  }

  async recover(): Promise<Recovered> {
    return this.#inTurn(async () => {
      const found = this.#snapshots.newest()
      const { entries, damaged, damagedAt } = this.#log.read(found?.zxid ?? ZXID_NONE)
      const snapshot = found ?? (entries.length > 0 ? this.#trustedEmpty() : null)
      // Nothing is changed yet: what is damaged may be more than nothing to whoever mends it.
      if (damaged > 0 && this.#options.damagedTail === 'refuse') {
        throw new StorageError('corrupt', `${damagedAt}, in its last entries: ${REMEDY}`)
      }
      if (damaged > 0) this.#remember({ droppedTail: this.#member.droppedTail + damaged })
      this.#log.repair()
      this.#last = newestOf(entries, snapshot?.zxid)
      const { droppedTail } = this.#member
      return { ...readEpochs(this.#directory, this.#last), snapshot, log: entries, droppedTail }
    })
  }

  async write(batch: readonly PersistEffect[]): Promise<void> {
    return this.#inTurn(async () => {
      let run: LogEntry[] = []
      for (const effect of batch) {
        if (effect.kind === 'append') {
          assert(effect.zxid > this.#last, `append of ${formatZxid(effect.zxid)} is out of order`)
          this.#last = effect.zxid
          run.push(effect)
          continue
        }
        // Everything before an epoch or a snapshot is on the disk before it.
        await this.#flush(run)
        run = []
        this.#apply(effect)
      }
      await this.#flush(run)
    })
  }

  async readLog(wanted: LogWanted): Promise<LogRange | null> {
    this.#check()
    return this.#log.readRange(wanted)
  }

  async meta(): Promise<MemberMeta> {
    this.#check()
    const { founding, startChain, lives, peerTokens } = this.#member
    return { founding, startChain, lives, peerTokens }
  }

  async pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void> {
    return this.#inTurn(async () => {
      const { founding } = this.#member
      if (founding !== null) {
        if (equal(founding, record)) return
        throw new StorageError('already-founded', 'another founding record is pinned')
      }
      // A directory of Apache ZooKeeper's has no record of ours: it is taken over as it is.
      if (this.#snapshots.newestZxid !== null) return this.#remember({ founding: record })
      assert(emptySnapshot !== null, 'founding an empty storage')
      // The snapshot is the mark that this member may vote (Q18). The record is pinned last: with
      // it and without a snapshot the directory would be one that lost its data.
      writeEpoch(this.#directory, 'acceptedEpoch', 0)
      writeEpoch(this.#directory, 'currentEpoch', 0)
      this.#snapshots.stage(0, 0, emptySnapshot)
      this.#snapshots.publish(this.#snapshots.seal(0, 1), ZXID_NONE)
      this.#remember({ founding: record })
    })
  }

  /**
   * What should be here is not, without a trace of it: until a leader has synchronised this member
   * it is as one that lost the end of its log.
   */
  async rememberLoss(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#member.droppedTail === 0) this.#remember({ droppedTail: 1 })
    })
  }

  async rememberPeerToken(incarnation: string, token: string): Promise<void> {
    return this.#inTurn(async () => {
      const { [incarnation]: _old, ...others } = this.#member.peerTokens
      const all = Object.entries({ ...others, [incarnation]: token })
      this.#remember({ peerTokens: Object.fromEntries(all.slice(-PEER_TOKENS_MAX)) })
    })
  }

  /** Leaves the newest snapshots and every log that the oldest of them needs (P18). */
  async purge(snapshotsRetained: number): Promise<void> {
    return this.#inTurn(async () => this.#purge(snapshotsRetained))
  }

  async close(): Promise<void> {
    await this.#tail
    if (this.#failure !== null) return
    this.#failure = new StorageError('closed', 'the storage was closed')
    this.#log.close()
    this.#snapshots.close()
    this.#owner.close()
  }

  // --- effects ----------------------------------------------------------------------------------

  #apply(effect: Exclude<PersistEffect, { kind: 'append' }>): void {
    switch (effect.kind) {
      case 'accepted-epoch':
        writeEpoch(this.#directory, 'acceptedEpoch', effect.epoch)
        break
      case 'current-epoch':
        writeEpoch(this.#directory, 'currentEpoch', effect.epoch)
        this.#forgetDroppedTail()
        break
      case 'truncate': {
        const floor = this.#snapshots.newestZxid ?? ZXID_NONE
        assert(effect.to >= floor, `truncate to ${formatZxid(effect.to)}, below a snapshot`)
        this.#log.truncate(effect.to)
        this.#last = newestOf(this.#log.read(floor).entries, floor)
        break
      }
      case 'snapshot-chunk':
        this.#snapshots.stage(effect.id, effect.index, effect.bytes)
        break
      case 'snapshot-commit':
        this.#commitSnapshot(effect)
        break
      case 'snapshot-abandon':
        this.#snapshots.abandon(effect.id)
        break
      default:
        unreachable(effect)
    }
  }

  async #flush(run: readonly LogEntry[]): Promise<void> {
    if (run.length === 0) return
    const now = this.#options.now ?? (() => performance.now())
    const startedMs = now()
    await this.#log.append(run)
    const elapsedMs = now() - startedMs
    if (elapsedMs > SLOW_SYNC_MS) this.#options.onSlowSync?.(elapsedMs)
    const limit = this.#options.logFileBytes ?? 0
    if (limit > 0 && this.#log.fileBytes > limit) this.#log.roll()
  }

  #commitSnapshot(effect: SnapshotCommitEffect): void {
    const staged = this.#snapshots.seal(effect.id, effect.chunks)
    if (effect.install) {
      const currentEpoch = effect.currentEpoch ?? null
      this.#remember({ installing: { zxid: effect.zxid.toString(16), staged, currentEpoch } })
      this.#install()
      this.#last = effect.zxid
      return
    }
    this.#snapshots.publish(staged, effect.zxid)
    if (effect.currentEpoch !== undefined) {
      writeEpoch(this.#directory, 'currentEpoch', effect.currentEpoch)
    }
    this.#log.roll()
    const retained = this.#options.snapshotsRetained
    if (retained !== null) this.#purge(retained ?? SNAPSHOTS_RETAINED)
  }

  #purge(snapshotsRetained: number): void {
    const oldest = this.#snapshots.retain(snapshotsRetained)
    if (oldest !== null) this.#log.purge(oldest)
  }

  /** Each step may be done already; the announcement goes last. */
  #install(): void {
    const { installing } = this.#member
    if (installing === null) return
    const zxid = toZxid(BigInt(`0x${installing.zxid}`))
    this.#log.removeAll()
    this.#snapshots.removeAllBut(this.#snapshots.publish(installing.staged, zxid))
    if (installing.currentEpoch !== null) {
      writeEpoch(this.#directory, 'currentEpoch', installing.currentEpoch)
    }
    this.#remember({ installing: null, droppedTail: 0 })
  }

  /** Logs without a snapshot: servers before 3.5 took none of an empty tree (P15). */
  #trustedEmpty(): ReturnType<SnapshotFiles['newest']> {
    const { trustedEmptySnapshot } = this.#options
    if (trustedEmptySnapshot === undefined) {
      const what = `${this.#directory} has transaction logs and no snapshot (P15)`
      throw new StorageError('corrupt', `${what}: restore one, or start with an empty directory`)
    }
    this.#snapshots.stage(0, 0, trustedEmptySnapshot)
    this.#snapshots.publish(this.#snapshots.seal(0, 1), ZXID_NONE)
    return this.#snapshots.newest()
  }

  #forgetDroppedTail(): void {
    if (this.#member.droppedTail > 0) this.#remember({ droppedTail: 0 })
  }

  #remember(change: Partial<MemberFile>): void {
    this.#member = { ...this.#member, ...change }
    writeMemberFile(this.#directory, this.#member)
  }

  // --- order and failure ------------------------------------------------------------------------

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const guarded = async (): Promise<T> => {
      try {
        this.#check()
        return await work()
      } catch (error) {
        throw this.#fail(error)
      }
    }
    const result = this.#tail === null ? guarded() : this.#tail.then(guarded)
    const tail: Promise<void> = result.then(nothing, nothing).then(() => {
      if (this.#tail === tail) this.#tail = null
    })
    this.#tail = tail
    return result
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
    if (!this.#owner.isOurs) {
      throw new StorageError('not-owner', `another process opened ${this.#directory}`)
    }
  }

  #fail(error: unknown): unknown {
    const known = error instanceof StorageError ? error : storageErrorOf(error)
    if (known === null || known.code === 'already-founded') return error
    this.#failure ??= known
    this.#resolveFailed(this.#failure)
    return known
  }
}

function versionDirectory(parent: string): string {
  const path = join(parent, VERSION_DIRECTORY)
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw storageErrorOf(error) ?? error
  }
  if (!statSync(path).isDirectory()) {
    throw new StorageError('unavailable', `${path} is no directory`)
  }
  return path
}

/** null: no error of the operating system. */
function storageErrorOf(error: unknown): StorageError | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT'
  return new StorageError(isFull ? 'quota' : 'unavailable', error.message, { cause: error })
}

function nothing(): void {}
