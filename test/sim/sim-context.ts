/** What hosts, clients and faults find around them: the world without its insides. */
import type { Prng } from '../../src/core/base/prng.ts'
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { SignedFoundingRecord } from '../../src/core/founding/founding-record.ts'
import type { OutgoingFrame } from '../../src/core/effect-gate/effect-gate.ts'
import type { MemberInput } from '../../src/core/server/effect.ts'
import type { PersistEffect, TraceEvent } from '../../src/core/zab/effect.ts'
import type { ClientRecorder } from '../../src/history/client-recorder.ts'
import type { ClientServer } from './client-server.ts'
import type { Draw } from './draw.ts'
import type { FaultChoice } from './faults/fault-choice.ts'
import type { FaultTally } from './faults/fault-tally.ts'
import type { HostView } from './host-view.ts'
import type { Network } from './network.ts'
import type { Origin } from './origin.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import type { Probe } from './probe.ts'
import type { Timeline } from './timeline.ts'
import type { TraceDigest } from '../../src/testing/trace-digest.ts'

export interface SimContext {
  readonly prng: Prng
  readonly draw: Draw
  readonly timeline: Timeline
  readonly probe: Probe
  readonly digest: TraceDigest
  /** Of faults. */
  readonly tally: FaultTally
  readonly choice: FaultChoice
  readonly network: Network
  readonly planted: PlantedBug
  /** What a former ensemble left; null: nothing, as nearly always. */
  readonly origin: Origin | null
  /** What the pages of a room founded; null: nothing yet, or it was founded before. */
  readonly founded: SignedFoundingRecord | null
  readonly sids: readonly ServerId[]
  /** Where clients may connect to. */
  readonly hosts: readonly ClientServer[]
  readonly wallBaseMs: number
  readonly sessionKey: Uint8Array
  /** Newest zxid that any client was told of as the result of a write. */
  readonly newestAcked: bigint
  /** Who writes down what a client does, if anybody. */
  makeRecorder(client: number): ClientRecorder | null
  acknowledged(zxid: bigint): void
  /** The first broken rule stops the run. */
  fail(checker: string, what: string): void
  threw(host: HostView, error: unknown): void
  halted(host: HostView, reason: string): void
  /** One line of the transcript; the words are made only when somebody reads them. */
  say(who: string, what: () => string): void
  noteInput(host: HostView, input: MemberInput): void
  noteFrame(host: HostView, frame: OutgoingFrame): void
  noteDurable(host: HostView, batch: readonly PersistEffect[]): void
  noteTrace(host: HostView, event: TraceEvent): void
}
