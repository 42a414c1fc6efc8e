/** The client's own book of one-shot watches (N32, N33): what it has to arm again elsewhere. */
import { EventType } from '../../src/core/jute/event-type.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import type { Call } from '../../src/history/operation.ts'

export class ClientWatches {
  readonly data = new Set<string>()
  readonly exist = new Set<string>()
  readonly child = new Set<string>()

  get isEmpty(): boolean {
    return this.data.size + this.exist.size + this.child.size === 0
  }

  /** A watch counts from the reply on, and not after every error (N2, N32). */
  onReply(call: Call, err: number): void {
    if (call.kind !== 'get' && call.kind !== 'exists' && call.kind !== 'children') return
    if (!call.watch) return
    if (err === ErrorCode.OK) this[call.kind === 'children' ? 'child' : 'data'].add(call.path)
    else if (call.kind === 'exists' && err === ErrorCode.NONODE) this.exist.add(call.path)
  }

  onEvent(type: number, path: string): void {
    if (type !== EventType.NodeChildrenChanged) {
      this.data.delete(path)
      this.exist.delete(path)
    }
    if (type === EventType.NodeChildrenChanged || type === EventType.NodeDeleted) {
      this.child.delete(path)
    }
  }

  clear(): void {
    this.data.clear()
    this.exist.clear()
    this.child.clear()
  }
}
