/** A tree as of one transaction, for histories that begin later than their ensemble. */
export interface RecordedTree {
  readonly zxid: bigint
  readonly nodes: readonly RecordedNode[]
  /** Those that are open. */
  readonly sessions: readonly bigint[]
}

export interface RecordedNode {
  readonly path: string
  readonly data: Uint8Array | null
  readonly version: number
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly pzxid: bigint
  /** As in Stat. */
  readonly owner: bigint
  /** Creates below it, ever. */
  readonly creates: number
}
