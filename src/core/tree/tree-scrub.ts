/**
 * Looks again, little by little, whether the nodes still are what the digest was summed of. The sum
 * only moves with transactions: memory that changed under it, or a write past the store, would show
 * nowhere else.
 */
import { nodeDigest } from './tree-digest.ts'
import type { DataNode } from './data-node.ts'
import type { NodeStore } from './node-store.ts'

/**
 * For one look. Ours: some 0.1 ms, twenty times a second; 100,000 small nodes take twenty seconds.
 */
const NODES_MAX = 256
const DATA_BYTES_MAX = 65_536

export class TreeScrub {
  readonly #store: NodeStore
  #nodes: Iterator<DataNode>
  #isAtStart = true

  constructor(store: NodeStore) {
    this.#store = store
    this.#nodes = store.nodes()
  }

  /** The next look begins the tree anew. */
  get isAtStart(): boolean {
    return this.#isAtStart
  }

  /** The path of a node that is not what it was, or null. */
  look(): string | null {
    if (this.#store.digest === null) return null
    let bytes = 0
    for (let count = 0; count < NODES_MAX && bytes < DATA_BYTES_MAX; count++) {
      const next = this.#nodes.next()
      this.#isAtStart = next.done === true
      if (next.done === true) {
        this.#nodes = this.#store.nodes()
        return null
      }
      const node = next.value
      bytes += node.data?.length ?? 0
      if (isCounted(node) && !node.digestStale && nodeDigest(node) !== node.digest) return node.path
    }
    return null
  }
}

/** What the digest leaves out has no share in it. */
function isCounted(node: DataNode): boolean {
  return node.digest !== 0
}
