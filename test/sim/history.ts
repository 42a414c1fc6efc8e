/**
 * Every entry that any member ever logged, by zxid, with the entry that went before it. In a
 * correct ensemble a zxid names one entry with one past, wherever it is logged; so "the log up to
 * z" is one thing, and a member's disk is told by its last zxid alone.
 */
import { ZXID_NONE, type Zxid } from '../../src/core/base/zxid.ts'
import type { RecordedTree } from '../../src/history/recorded-tree.ts'
import type { HostView } from './host-view.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { encodeTxn } from '../../src/core/jute/txn.ts'
import { entryHash } from '../../src/testing/trace-digest.ts'
import type { World } from './world.ts'

export interface KnownEntry {
  readonly zxid: Zxid
  readonly before: Zxid
  readonly hash: number
  readonly entry: Uint8Array
  /** No entry at all: a backup was the state from here on. */
  readonly replaced: RecordedTree | null
}

export class History {
  readonly #known = new Map<Zxid, KnownEntry>()
  readonly #lastEmitted = new Map<HostView, Zxid>()
  /** What a disk held before it lost entries: its member had kept its word until then. */
  readonly #lost = new Map<HostView, Zxid>()

  constructor(world: World, onConflict: (what: string) => void) {
    const { probe } = world
    probe.on('started', ({ host }) => this.#lastEmitted.set(host, host.view.last))
    probe.on('lost', ({ host }) => this.#lost.set(host, host.view.last))
    probe.on('emitted', ({ host, effect }) => {
      if (effect.kind === 'append') this.#append(host, effect.zxid, effect.entry, onConflict)
      else if (effect.kind === 'truncate') this.#lastEmitted.set(host, effect.to)
      else if (effect.kind === 'snapshot-commit' && effect.install) {
        this.#replace(host, effect.zxid, world.restores.take(host, effect.zxid))
      }
    })
  }

  find(zxid: Zxid): KnownEntry | undefined {
    return this.#known.get(zxid)
  }

  /** Last entry whose append the host has emitted. */
  lastEmitted(host: HostView): Zxid {
    return this.#lastEmitted.get(host) ?? ZXID_NONE
  }

  /** Is `zxid` an entry of the log that ends with `last`? */
  isOnPath(zxid: Zxid, last: Zxid): boolean {
    let at = last
    while (at > zxid) {
      const known = this.#known.get(at)
      if (known === undefined) return false
      at = known.before
    }
    return at === zxid
  }

  /** Durable there, or was until the storage lost it. */
  isOnDisk(zxid: Zxid, host: HostView): boolean {
    if (this.isOnPath(zxid, host.view.last)) return true
    const lost = this.#lost.get(host)
    return lost !== undefined && this.isOnPath(zxid, lost)
  }

  #replace(host: HostView, zxid: Zxid, replaced: RecordedTree | null): void {
    const before = this.lastEmitted(host)
    this.#lastEmitted.set(host, zxid)
    if (replaced === null) return
    const header = { clientId: 0n, cxid: 0, zxid, time: 0, type: OpCode.error }
    const entry = encodeTxn(header, { kind: 'error', err: 0 })
    this.#known.set(zxid, { zxid, before, hash: entryHash(entry), entry, replaced })
  }

  #append(host: HostView, zxid: Zxid, entry: Uint8Array, onConflict: (what: string) => void): void {
    const before = this.lastEmitted(host)
    const hash = entryHash(entry)
    this.#lastEmitted.set(host, zxid)
    const known = this.#known.get(zxid)
    if (known === undefined) {
      this.#known.set(zxid, { zxid, before, hash, entry, replaced: null })
    } else if (known.before !== before || known.hash !== hash) {
      const past = (z: Zxid): string => `0x${z.toString(16)}`
      const what = known.hash === hash ? 'another past' : 'other content'
      const where = `after ${past(before)} instead of ${past(known.before)}`
      onConflict(`${host.name} logs ${past(zxid)} with ${what}: ${where}`)
    }
  }
}
