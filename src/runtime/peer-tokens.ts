/** The newest start seen of each peer: a storage that was put back to an older state is refused. */
import { isRefused, newestToken, startChainCheck } from '../core/founding/start-chain.ts'
import { PEER_TOKENS_MAX } from '../ports/storage.ts'
import type { Storage } from '../ports/storage.ts'

export class PeerTokens {
  /** What the storage remembers, which nobody else writes. Newest last, as there. */
  readonly #tokens: Map<string, string>
  readonly #storage: Storage

  constructor(stored: Readonly<Record<string, string>>, storage: Storage) {
    this.#tokens = new Map(Object.entries(stored))
    this.#storage = storage
  }

  /** null, or why the peer is refused. */
  refusal(incarnation: string, startChain: readonly string[]): string | null {
    const verdict = startChainCheck(this.#tokens.get(incarnation) ?? null, startChain)
    return isRefused(verdict) ? `refused: the storage of this machine is ${verdict}` : null
  }

  /** Resolves when the newest start of this peer that we saw is on disk. */
  async remember(incarnation: string, startChain: readonly string[]): Promise<void> {
    const token = newestToken(startChain)
    if (token === null) return
    this.#tokens.delete(incarnation)
    this.#tokens.set(incarnation, token)
    const [oldest] = this.#tokens.keys()
    if (this.#tokens.size > PEER_TOKENS_MAX && oldest !== undefined) this.#tokens.delete(oldest)
    // A storage that failed ends its member by itself.
    await this.#storage.rememberPeerToken(incarnation, token).catch(() => {})
  }
}
