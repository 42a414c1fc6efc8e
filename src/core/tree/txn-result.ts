/**
 * What applying one transaction came to: all that the final stage needs for its answer (W19–W49).
 */

import type { Stat } from '../jute/data-records.ts'

export interface TxnResult {
  readonly clientId: bigint
  readonly cxid: number
  readonly zxid: bigint
  /** OpCode of the transaction; inside a multi, of the operation. */
  readonly type: number
  /**
   * An ErrorCode. For a multi the first one that is not OK, though its reply's header says 0 (W49).
   * After a replay over a fuzzy snapshot it may be NONODE or NODEEXISTS: nobody waits for those.
   */
  readonly err: number
  readonly path: string | null
  /** After create2, createTTL, createContainer, setData and setACL. */
  readonly stat: Stat | null
  /** One per operation of a multi. */
  readonly multi: readonly TxnResult[] | null
}
