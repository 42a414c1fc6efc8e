/**
 * What `zabra/playwright` puts into a page before the app's own code runs. Without it, as in
 * production, nothing looks for rooms and clients of a page, and nothing can.
 */
import type { ClientTransport } from '../client/transport.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { OpenClientOptions, RoomStatus } from './room-options.ts'
import type { ZooKeeperClient } from '../client/zookeeper-client.ts'

/** What the kit uses of a Room; a client's has less in its status. */
export interface TestedRoom {
  readonly status: RoomStatus
  readonly link: string
  readonly identity: string
  readonly ended: AbortSignal
  onStatus(listener: (status: RoomStatus) => void): () => void
  openClient(options?: OpenClientOptions): Promise<ZooKeeperClient>
  transport(): ClientTransport
  flightRecording(options: { readonly payloads: boolean }): Promise<Blob | null>
  crash(): void
}

export interface TestingHook {
  /** Used whatever the app says; null: as the app says. */
  readonly signaling: string | null
  /** Which machine a tab without a past is, if it is free; see the option `identity`. */
  readonly identity: string | null
  /** Of every room of the page that has been joined. */
  onRoom(room: TestedRoom): void
  onTrace(event: TraceEvent, atMs: number): void
  /** Of each handle of the page: what is used instead of its way to the ensemble. */
  transportOf(transport: ClientTransport): ClientTransport
}

const HOOK = Symbol.for('zabra.testing')

export function testingHook(): TestingHook | undefined {
  return (globalThis as { readonly [HOOK]?: TestingHook })[HOOK]
}

export function installTestingHook(hook: TestingHook): void {
  Object.assign(globalThis, { [HOOK]: hook })
}
