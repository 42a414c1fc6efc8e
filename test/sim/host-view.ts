/** What everybody else may see of a host. */
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { ConnectionId } from '../../src/core/server/effect.ts'
import type { DataTree } from '../../src/core/tree/data-tree.ts'
import type { DiskView } from './disk-view.ts'

export interface HostView {
  readonly sid: ServerId
  readonly name: string
  readonly isObserver: boolean
  /** What is durable. */
  readonly view: DiskView
  /** Number of its start. */
  readonly life: number
  readonly isUp: boolean
  /** Number of the last client connection that was opened here. */
  readonly newestConnection: ConnectionId
  /** The replica's state; null while down. */
  readonly tree: DataTree | null
  /** Its monotonic clock, as it is. */
  readonly trueElapsedMs: number
}
