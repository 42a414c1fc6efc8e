/** A backup brought back while the server runs (P26), and what became of it. */
import { setImmediate } from 'node:timers/promises'
import { readBackup } from '../core/server/backup.ts'
import type { DataTree } from '../core/tree/data-tree.ts'
import { TreeSnapshot } from '../core/tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES, type TraceEvent } from '../core/zab/effect.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import type { Member } from '../runtime/member.ts'

export type RestoreOutcome =
  | { readonly kind: 'restored'; readonly zxid: bigint }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly why: 'not-leading' | 'no-snapshot'; readonly text: string }
  /** Another state than the backup's holds now, or nobody can tell yet. */
  | { readonly kind: 'failed'; readonly text: string }

/** Disk, election and synchronisation of a large state, ms. Ours, as long as the HTTP request. */
const RESTORE_LIMIT_MS = 120_000

export class StateRestorer {
  #waiting: ((outcome: RestoreOutcome) => void) | null = null
  #sid = 0
  /** Of the backup, once it is this member's state. */
  #zxid: bigint | null = null

  onTrace(event: TraceEvent): void {
    if (event.type === 'replaced') this.#zxid = BigInt(event.zxid)
    else if (event.type === 'established') this.#waiting?.(this.#outcomeAt(event.leader))
  }

  close(): void {
    this.#waiting?.({ kind: 'failed', text: 'the server was shut down' })
  }

  /** One at a time: the rate limit of whoever asks sees to that. */
  async restore(member: Member, chunks: readonly Uint8Array[]): Promise<RestoreOutcome> {
    const { sid, serving, role, leader, zxid } = member.status()
    if (!serving || role !== 'leading') {
      const text = `the leader takes a backup, and all others from it: ask machine ${leader ?? '?'}`
      return { kind: 'refused', why: 'not-leading', text }
    }
    let tree: DataTree
    try {
      tree = readBackup(chunks, member.server.lastProcessed())
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      return { kind: 'refused', why: 'no-snapshot', text: error.message }
    }
    const backup = await chunksOf(tree)
    this.#sid = sid
    return this.#outcome(() => member.replaceState(backup), zxid)
  }

  /** Somebody leads again. Whoever else it is, it began without the backup. */
  #outcomeAt(leader: number): RestoreOutcome {
    const zxid = this.#zxid
    if (zxid !== null && leader === this.#sid) return { kind: 'restored', zxid }
    const text = `machine ${leader} led before the backup was here: nothing was changed`
    return { kind: 'failed', text }
  }

  async #outcome(begin: () => void, before: string): Promise<RestoreOutcome> {
    this.#zxid = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const outcome = new Promise<RestoreOutcome>((resolve) => {
      this.#waiting = resolve
      const text = `it is not clear yet whether the backup or the state of ${before} holds`
      timer = setTimeout(() => resolve({ kind: 'failed', text }), RESTORE_LIMIT_MS)
    })
    begin()
    try {
      return await outcome
    } finally {
      clearTimeout(timer)
      this.#waiting = null
    }
  }
}

/**
 * Encoded anew, in pieces that every storage takes; a slice at a time, or a leader that does it for
 * longer than the silence limit would be missed.
 */
async function chunksOf(tree: DataTree): Promise<Uint8Array[]> {
  const snapshot = new TreeSnapshot(tree)
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = snapshot.next(SNAPSHOT_CHUNK_BYTES)
    if (chunk === null) return chunks
    chunks.push(chunk)
    await setImmediate()
  }
}
