/** What is durable on one member's disk, kept beside the disk so that checkers need not read it. */
import { ZXID_NONE, type Zxid } from '../../src/core/base/zxid.ts'
import type { PersistEffect, RecoveredState } from '../../src/core/zab/effect.ts'

export class DiskView {
  acceptedEpoch = 0
  currentEpoch = 0
  /** Newest entry or snapshot, whichever is newer. */
  last: Zxid = ZXID_NONE
  snapshot: Zxid = ZXID_NONE
  /** A storage that holds a founding record (Q18). */
  isFounded = false

  apply(batch: readonly PersistEffect[]): void {
    for (const effect of batch) {
      switch (effect.kind) {
        case 'append':
          this.last = effect.zxid
          break
        case 'accepted-epoch':
          this.acceptedEpoch = effect.epoch
          break
        case 'current-epoch':
          this.currentEpoch = effect.epoch
          break
        case 'truncate':
          this.last = effect.to
          break
        case 'snapshot-commit':
          this.snapshot = effect.zxid
          if (effect.install) this.last = effect.zxid
          if (effect.currentEpoch !== undefined) this.currentEpoch = effect.currentEpoch
          break
        case 'snapshot-chunk':
        case 'snapshot-abandon':
          break
      }
    }
  }

  reset(recovered: RecoveredState): void {
    this.acceptedEpoch = recovered.acceptedEpoch
    this.currentEpoch = recovered.currentEpoch
    this.isFounded = recovered.snapshot !== null
    this.snapshot = recovered.snapshot?.zxid ?? ZXID_NONE
    this.last = recovered.log.at(-1)?.zxid ?? this.snapshot
  }
}
