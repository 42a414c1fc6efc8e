/** A host's disk over its lives: who it is by it, whom it has met, what an old copy would be. */
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import { isRefused, newestToken, startChainCheck } from '../../src/core/founding/start-chain.ts'
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { RecoveredState } from '../../src/core/zab/effect.ts'
import { StorageError } from '../../src/ports/storage.ts'
import { foundedDisk } from './founding.ts'

/** What the pages of two members tell each other when they open a link. */
export interface StorageOwner {
  /** Tokens of its lives, as its storage has them. */
  readonly startChain: readonly string[]
  /** Who it is, as long as it has its storage. */
  readonly incarnation: string
}

export class HostStorage implements StorageOwner {
  readonly #sid: ServerId
  readonly #isObserver: boolean
  #disk: MemoryDisk
  /** As it was when this life began: what an old profile would put back. */
  #backup: MemoryDisk | null = null
  #identity = 1

  constructor(sid: ServerId, disk: MemoryDisk, isObserver: boolean) {
    this.#sid = sid
    this.#disk = disk
    this.#isObserver = isObserver
  }

  get disk(): MemoryDisk {
    return this.#disk
  }

  get incarnation(): string {
    return `${this.#sid}.${this.#identity}`
  }

  get startChain(): readonly string[] {
    return this.#disk.metaSync().startChain
  }

  /**
   * A life begins. Who cannot read its disk gives its identity up: what it gets is a blank one.
   */
  open(life: number, onUnreadable: (why: string) => void): RecoveredState {
    this.#backup = this.#disk.clone()
    try {
      return this.#claim(life)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      onUnreadable(error.message)
      this.replace(this.#isObserver ? foundedDisk() : new MemoryDisk())
      return this.#claim(life)
    }
  }

  /** A storage that was cleared has another identity from then on, as its keys are new. */
  replace(disk: MemoryDisk): void {
    this.#disk = disk
    this.#identity++
  }

  /** An old copy of the whole is put back. False where there is none. */
  rollBack(): boolean {
    if (this.#backup === null) return false
    this.#disk.restore(this.#backup)
    return true
  }

  /** As the pages do before they open a link: was the other's storage rolled back? */
  admits(peer: StorageOwner): boolean {
    return !isRefused(startChainCheck(this.#seenOf(peer), peer.startChain))
  }

  remembers(peer: StorageOwner): void {
    const token = newestToken(peer.startChain)
    if (token !== null) this.#disk.rememberPeerTokenSync(peer.incarnation, token)
  }

  /** It has seen the present life of `peer`. */
  hasMet(peer: StorageOwner): boolean {
    const seen = this.#seenOf(peer)
    return seen !== null && seen === newestToken(peer.startChain)
  }

  #seenOf({ incarnation }: StorageOwner): string | null {
    return this.#disk.metaSync().peerTokens[incarnation] ?? null
  }

  #claim(life: number): RecoveredState {
    this.#disk.claim(`s${this.#sid}l${life}`)
    this.#disk.dropStaged()
    return this.#disk.recoverSync()
  }
}
