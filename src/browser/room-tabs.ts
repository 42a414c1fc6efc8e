/** The two ways of taking part. A page loads the code of the one that it uses. */
import type { Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import type { ClientTransport } from '../client/transport.ts'
import type { CopyFacts } from '../core/server/ensemble-copy.ts'
import type { RoomLink } from '../signaling/room-link.ts'
import type { ClientStatus } from './client-tab.ts'
import type { Explanation } from './explanation.ts'
import { startMemberWorker } from './member-worker.ts'
import { keepIdentity, keptIdentity, signalingUrl } from './room-address.ts'
import type { JoinAsClientOptions, JoinRoomOptions, RoomStatus } from './room-options.ts'
import type { ExplainOptions } from './tab-health.ts'
import { testingHook } from './testing-hook.ts'

/** What a room needs of its tab, whichever part that has. */
export interface RoomTab {
  /** Of the member; a tab that is only a client has none that lasts. */
  readonly incarnation?: string
  transport(): ClientTransport
  explain(options?: ExplainOptions): Promise<Explanation>
  examine(options?: ExamineOptions): Promise<Examination>
  /** Only a member can fall silent with its links open; a client just leaves. */
  crash?(): void
  close(): Promise<void>
  copyFacts?(): Promise<CopyFacts | null>
  startNewEnsemble?(): Promise<RoomLink>
  flightRecording?(options: { readonly payloads?: boolean }): Promise<Blob | null>
}

export interface TabEvents<Status> {
  readonly link: RoomLink
  readonly address: URL
  /** Ends the start only. */
  readonly signal: AbortSignal
  readonly onStatus: (status: Status) => void
  readonly onFailed: (reason: string) => void
}

export type OpenTab<Status> = (events: TabEvents<Status>) => Promise<RoomTab>

export function memberTab(options: JoinRoomOptions): OpenTab<RoomStatus> {
  return async ({ link, address, signal, onStatus, onFailed }) => {
    const { identity } = options
    const { MemberTab } = await import('./member-tab.ts')
    const hook = testingHook()
    const known = keptIdentity() ?? hook?.identity ?? null
    const tab = await MemberTab.open({
      link,
      signalUrl: signalingUrl(hook?.signaling ?? options.signaling, address),
      createWorker: options.worker ?? startMemberWorker,
      previousIncarnation: identity === undefined ? known : identity,
      signal,
      onStatus,
      onFailed,
      readOnlyMode: options.readOnlyMode ?? false,
      onTrace: (event, atMs) => {
        hook?.onTrace(event, atMs)
        options.onTrace?.(event, atMs)
      },
      ...(options.onSignaling === undefined ? {} : { onSignaling: options.onSignaling }),
      ...iceOf(options),
    })
    if (identity === undefined) keepIdentity(tab.incarnation)
    return tab
  }
}

export function clientTab(options: JoinAsClientOptions): OpenTab<ClientStatus> {
  return async ({ link, address, signal, onStatus }) => {
    const { ClientTab } = await import('./client-tab.ts')
    return ClientTab.open({
      link,
      signalUrl: signalingUrl(testingHook()?.signaling ?? options.signaling, address),
      signal,
      onStatus,
      ...(options.onSignaling === undefined ? {} : { onSignaling: options.onSignaling }),
      ...iceOf(options),
    })
  }
}

function iceOf({
  iceServers = [],
  iceTransportPolicy = 'all',
}: JoinRoomOptions | JoinAsClientOptions): Pick<
  Required<JoinRoomOptions>,
  'iceServers' | 'iceTransportPolicy'
> {
  return { iceServers, iceTransportPolicy }
}
