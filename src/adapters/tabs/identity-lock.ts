/**
 * Which of the room's identities this tab is (design §4): the one it had before, else the first
 * whose lock is free, else a new one.
 *
 * Invariant: an identity's database is touched only under the lock of its name, its making
 * included, so no two tabs of this browser are the same member. Locks are advisory; the owner token
 * in the database catches the rest.
 */
import { type MemberMeta, type Storage, StorageError } from '../../ports/storage.ts'
import { type HeldLock, tryLock, waitForLock } from './web-lock.ts'

/**
 * A reload frees the lock of the page before some 70 ms late (browser-facts §3); on a busy computer
 * later, and who does not wait becomes another machine. A duplicated tab waits for all of it. Ours.
 */
export const RELOAD_LOCK_WAIT_MS = 2_000

/** A search reads each free identity, some ms each. Ours: one order above. */
export const SEARCH_LOCK_WAIT_MS = 3_000

/** Identities of one room in one origin. Ours: a link opened in a loop must not fill the disk. */
export const IDENTITIES_PER_ROOM_MAX = 64

export interface IdentitySource<New extends { readonly incarnation: string }> {
  list(): Promise<readonly string[]>
  peek(incarnation: string): Promise<MemberMeta>
  open(incarnation: string): Promise<OpenableIdentity>
  generate(): Promise<New>
  create(identity: New): Promise<OpenableIdentity>
}

export interface OpenableIdentity {
  readonly incarnation: string
  readonly publicKey: Uint8Array
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
  readonly storage: Storage
  readonly meta: MemberMeta
}

export interface OpenIdentityOptions<New extends { readonly incarnation: string }> {
  readonly room: string
  readonly source: IdentitySource<New>
  /** From the page's `history.state`. */
  readonly previousIncarnation?: string | undefined
  readonly signal?: AbortSignal
  /**
   * How well a stored identity fits this tab: the highest goes first, null = not at all (it belongs
   * to another ensemble of this name). Default: one that holds a founding record before one that
   * holds none, so that reopened tabs are members again before they are spare candidates.
   */
  readonly suits?: (meta: MemberMeta, incarnation: string) => number | null
}

export interface OpenedIdentity extends OpenableIdentity {
  /** Identities of this room that cannot be read, left alone. */
  readonly damaged: readonly string[]
  /** Closes the storage, then lets the identity go: who opens next is given it. */
  release(): Promise<void>
}

export async function openIdentity<New extends { readonly incarnation: string }>(
  options: OpenIdentityOptions<New>,
): Promise<OpenedIdentity> {
  const search = new IdentitySearch(options)
  return search.run()
}

class IdentitySearch<New extends { readonly incarnation: string }> {
  readonly #options: OpenIdentityOptions<New>
  readonly #signal: AbortSignal
  readonly #damaged: string[] = []
  /** Locks taken on the way; all but the chosen one are given back. */
  readonly #held = new Map<string, HeldLock>()
  #turn: HeldLock | null = null

  constructor(options: OpenIdentityOptions<New>) {
    this.#options = options
    this.#signal = options.signal ?? new AbortController().signal
  }

  async run(): Promise<OpenedIdentity> {
    let chosen: string | null = null
    try {
      const previous = await this.#previous()
      const identity =
        previous === null ? await this.#another() : await this.#options.source.open(previous)
      if (this.#signal.aborted) await identity.storage.close()
      this.#signal.throwIfAborted()
      chosen = identity.incarnation
      return this.#opened(identity)
    } finally {
      for (const [name, lock] of this.#held) if (name !== chosen) void lock.release()
      // The last: until then another tab could take the others for used.
      void this.#turn?.release()
    }
  }

  /**
   * One tab at a time: a search holds the locks of identities that it does not take in the end, and
   * another tab must not believe that they are in use. A frozen searcher delays for a moment only.
   */
  async #another(): Promise<OpenableIdentity> {
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(SEARCH_LOCK_WAIT_MS)])
    this.#turn = await waitForLock(`zabra/search/${this.#options.room}`, limit)
    this.#signal.throwIfAborted()
    const stored = await this.#options.source.list()
    const free = await this.#firstFree(stored)
    return free === null ? this.#make(stored.length) : this.#options.source.open(free)
  }

  async #previous(): Promise<string | null> {
    const { previousIncarnation, source } = this.#options
    if (previousIncarnation === undefined) return null
    if (!(await source.list()).includes(previousIncarnation)) return null
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(RELOAD_LOCK_WAIT_MS)])
    const lock = await waitForLock(this.#lockName(previousIncarnation), limit)
    this.#signal.throwIfAborted()
    if (lock === null) return null
    this.#held.set(previousIncarnation, lock)
    return (await this.#rank(previousIncarnation)) === null ? null : previousIncarnation
  }

  async #firstFree(stored: readonly string[]): Promise<string | null> {
    let best: string | null = null
    let bestRank = Number.NEGATIVE_INFINITY
    for (const incarnation of stored) {
      this.#signal.throwIfAborted()
      if (this.#held.has(incarnation)) continue
      const lock = await tryLock(this.#lockName(incarnation))
      if (lock === null) continue
      this.#held.set(incarnation, lock)
      const rank = await this.#rank(incarnation)
      if (rank === null || rank <= bestRank) continue
      best = incarnation
      bestRank = rank
    }
    return best
  }

  /** null = not to be used. A damaged storage stays as it is, for whoever wants to look at it. */
  async #rank(incarnation: string): Promise<number | null> {
    const { source, suits = holdsRecord } = this.#options
    try {
      return suits(await source.peek(incarnation), incarnation)
    } catch (error) {
      const code = error instanceof StorageError ? error.code : null
      if (code === 'corrupt') this.#damaged.push(incarnation)
      // Deleted since it was listed, or unreadable: this tab becomes another machine.
      if (code === 'corrupt' || code === 'wiped') return null
      throw error
    }
  }

  async #make(stored: number): Promise<OpenableIdentity> {
    const { room, source } = this.#options
    if (stored >= IDENTITIES_PER_ROOM_MAX) {
      const text = `room ${room} has ${stored} machines in this browser already; close some tabs`
      throw new StorageError('unavailable', text)
    }
    const made = await source.generate()
    // Before the database exists: a tab that lists it from then on finds it taken.
    const lock = await waitForLock(this.#lockName(made.incarnation), this.#signal)
    this.#signal.throwIfAborted()
    if (lock !== null) this.#held.set(made.incarnation, lock)
    return source.create(made)
  }

  #opened(identity: OpenableIdentity): OpenedIdentity {
    const lock = this.#held.get(identity.incarnation)
    return {
      ...identity,
      damaged: this.#damaged,
      release: async () => {
        await identity.storage.close()
        await lock?.release()
      },
    }
  }

  #lockName(incarnation: string): string {
    return `zabra/identity/${this.#options.room}/${incarnation}`
  }
}

function holdsRecord(meta: MemberMeta): number {
  return meta.founding === null ? 0 : 1
}
