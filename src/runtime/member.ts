/**
 * The one async loop of a running member: inputs in, effects out. It decides nothing; rules live in
 * the core and the order of effects in the EffectGate (design §5).
 *
 * Everything that arrives in one task is stepped at once and flushed in one microtask, so that a
 * message with many requests becomes one storage transaction and one frame per peer.
 */
import { EffectGate } from '../core/effect-gate/effect-gate.ts'
import { copyFacts, copyForNewEnsemble } from '../core/server/ensemble-copy.ts'
import type { CopyFacts, EnsembleCopy } from '../core/server/ensemble-copy.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../core/server/effect.ts'
import { MemberMachine } from '../core/server/member-machine.ts'
import type { MemberConfig, MemberStatus } from '../core/server/member-machine.ts'
import type { ZooKeeperServer } from '../core/server/zookeeper-server.ts'
import type { ServerId } from '../core/base/zxid.ts'
import type { Id } from '../core/jute/data-records.ts'
import type { PersistEffect, ReadLogEffect, TraceEvent } from '../core/zab/effect.ts'
import { concat } from '../core/base/bytes.ts'
import type { ClientChannel } from '../ports/client-channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Link } from '../ports/link.ts'
import { DiskFigures } from './disk-figures.ts'
import type { DiskStatus } from './disk-figures.ts'
import { StorageError } from '../ports/storage.ts'
import type { Recovered, Storage } from '../ports/storage.ts'
import { FlightRecorder, type Flight, type FlightLimits } from './flight/flight-recorder.ts'

/** Ticks drive every deadline of the core; fine enough for the 250 ms pulse (design §4, Time). */
export const TICK_INTERVAL_MS = 50

export interface MemberOptions {
  readonly config: MemberConfig
  readonly storage: Storage
  readonly recovered: Recovered
  readonly clock: Clock
  /** Starts a repeating timer; returns its stop function. */
  readonly every: (intervalMs: number, run: () => void) => () => void
  /**
   * Runs what is due when everything that has arrived is handled, so that a write has more in it
   * where a task is one message of one connection. Default: at once.
   */
  readonly afterInputs?: (run: () => void) => void
  readonly onTrace?: (event: TraceEvent) => void
  /** False: no flight recorder, where nobody would ask for its recording. Default true. */
  readonly isRecorded?: boolean
  /** Bounds of the flight recorder, for tests. */
  readonly flightLimits?: FlightLimits
  /** The core asked to cut a link; the owner of the link makes a fresh one. */
  readonly onCloseLink?: (peer: ServerId, reason: string) => void
  /** The member ended by itself: failed storage or a broken invariant. Called once. */
  readonly onHalt?: (reason: string) => void
}

export class Member {
  readonly #options: MemberOptions
  readonly #machine: MemberMachine
  readonly #recorder: FlightRecorder | null
  readonly #gate: EffectGate<MemberEffect> = new EffectGate<MemberEffect>()
  readonly #links = new Map<ServerId, Link>()
  readonly #clients = new Map<ConnectionId, ClientChannel>()
  readonly #disk = new DiskFigures()
  readonly #stopTicks: () => void
  readonly #afterInputs: (run: () => void) => void
  #nextConnection: ConnectionId = 1
  #flushScheduled = false
  #writeScheduled = false
  #writeStartedMs = 0
  #stopped = false
  #haltReason: string | null = null

  constructor(options: MemberOptions) {
    this.#options = options
    this.#afterInputs = options.afterInputs ?? atOnce
    const { config, recovered, flightLimits, isRecorded = true } = options
    const at = options.clock.now()
    this.#machine = new MemberMachine(config, recovered, at)
    const effects = this.#machine.takeEffects()
    this.#recorder = isRecorded
      ? new FlightRecorder(config, recovered, at, effects, flightLimits)
      : null
    this.#gate.offer(effects)
    this.#stopTicks = options.every(TICK_INTERVAL_MS, () => this.#tick())
    void options.storage.failed.then((error) => this.#storageFailed(error))
    this.#scheduleFlush()
  }

  get haltReason(): string | null {
    return this.#haltReason
  }

  get disk(): DiskStatus {
    return this.#disk.status(this.#gate.inFlight ? this.#writeStartedMs : null, this.#options.clock)
  }

  status(): MemberStatus {
    return this.#machine.status(this.#options.clock.now())
  }

  /** For administrators: to be read only. */
  get server(): ZooKeeperServer {
    return this.#machine.server
  }

  /** What this member heard and asked for, for a replay; also after it stopped. */
  flight(): Flight | null {
    return this.#recorder?.take() ?? null
  }

  /** What there is to take along to a new ensemble. */
  copyFacts(): CopyFacts {
    return copyFacts(this.#machine.tree)
  }

  /** For a new ensemble: the state as it is now, committed or only logged. */
  copy(): EnsembleCopy {
    return copyForNewEnsemble(this.#machine.tree, this.status().epoch)
  }

  /** A verified link to a voter. A newer link replaces an older one of the same peer. */
  attachLink(peer: ServerId, link: Link): void {
    if (this.#stopped) return link.close('member stopped')
    const old = this.#links.get(peer)
    this.#links.set(peer, link)
    link.onMessage = (bytes) => {
      if (this.#links.get(peer) === link) this.#input({ kind: 'frame', peer, bytes })
    }
    link.onWritable = () => {
      if (this.#links.get(peer) === link) this.#input({ kind: 'link-writable', peer })
    }
    link.onClose = (reason) => {
      if (this.#links.get(peer) !== link) return
      this.#links.delete(peer)
      this.#input({ kind: 'link-down', peer, reason })
    }
    if (old !== undefined) {
      old.close('replaced by a newer link')
      this.#input({ kind: 'link-down', peer, reason: 'replaced by a newer link' })
    }
    this.#input({ kind: 'link-up', peer })
  }

  detachLink(peer: ServerId, reason: string): void {
    this.#links.get(peer)?.close(reason)
  }

  /** A crash hint about a peer: the core probes it with a short time-out. */
  suspect(peer: ServerId): void {
    this.#input({ kind: 'suspect', peer })
  }

  /** Somebody with this key asks for a place as an observer; only a serving leader acts. */
  admitObserver(incarnation: string): void {
    this.#input({ kind: 'admit-observer', incarnation })
  }

  /** A backup to be the state of the whole ensemble; see core/zab/state-replacement.ts. */
  replaceState(chunks: readonly Uint8Array[]): void {
    this.#input({ kind: 'replace-state', chunks })
  }

  /** Serve one client connection. */
  /** `ids`: what its certificate says. */
  attachClient(channel: ClientChannel, address: string, ids: readonly Id[] = []): void {
    if (this.#stopped) return channel.close('server_shutdown')
    const connection = this.#nextConnection++
    this.#clients.set(connection, channel)
    // First: what came early is delivered, and an end told, the moment a handler is there.
    const known = ids.length === 0 ? {} : { ids }
    this.#input({ kind: 'client-open', connection, address, ...known })
    channel.onMessage = (bytes) => this.#input({ kind: 'client-data', connection, bytes })
    channel.onClose = () => {
      if (this.#clients.delete(connection)) this.#input({ kind: 'client-closed', connection })
    }
  }

  /** Stop at once, like a crash: nothing is flushed that was not already durable or sent. */
  stop(reason: string): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopTicks()
    for (const channel of this.#clients.values()) channel.close('server_shutdown')
    for (const link of this.#links.values()) link.close(reason)
    this.#clients.clear()
    this.#links.clear()
  }

  #tick(): void {
    const { clock } = this.#options
    const age = this.#gate.inFlight ? clock.now().elapsedMs - this.#writeStartedMs : 0
    this.#input({ kind: 'tick', oldestAppendAgeMs: age })
  }

  #input(input: MemberInput): void {
    if (this.#stopped) return
    this.#step(input)
    this.#scheduleFlush()
  }

  #step(input: MemberInput): void {
    const at = this.#options.clock.now()
    this.#machine.step(input, at)
    const effects = this.#machine.takeEffects()
    this.#recorder?.step(at, input, effects)
    this.#gate.offer(effects)
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#stopped) return
    const hasBatch = this.#gate.hasBatch
    // The longest way first: what peers must write and acknowledge before our own disk and before
    // clients. Without anything to write only commits leave, and nobody waits for them so much as
    // the client whose answer it is.
    if (!hasBatch) this.#runOthers()
    for (const frame of this.#gate.takeFrames()) this.#links.get(frame.peer)?.send(frame.bytes)
    if (!hasBatch) return
    this.#scheduleWrite()
    this.#runOthers()
  }

  #scheduleWrite(): void {
    if (this.#writeScheduled) return
    this.#writeScheduled = true
    this.#afterInputs(() => {
      this.#writeScheduled = false
      const batch = this.#stopped ? null : this.#gate.takeBatch()
      if (batch !== null) this.#startWrite(batch)
    })
  }

  #startWrite(batch: readonly PersistEffect[]): void {
    this.#writeStartedMs = this.#options.clock.now().elapsedMs
    this.#options.storage.write(batch).then(
      () => this.#written(batch),
      (error: unknown) => this.#storageFailed(error),
    )
  }

  #written(batch: readonly PersistEffect[]): void {
    if (this.#stopped) return
    this.#disk.written(this.#writeStartedMs, this.#options.clock)
    this.#step({ kind: 'persisted', mark: this.#gate.batchDone() })
    // A truncate is a barrier, so it can only stand last in its batch.
    if (batch.at(-1)?.kind === 'truncate') this.#readAgain()
    // Those who wait for this write have waited long enough.
    this.#flush()
  }

  #readAgain(): void {
    this.#options.storage.recover().then(
      (recovered) => this.#input({ kind: 'truncated', recovered }),
      (error: unknown) => this.#storageFailed(error),
    )
  }

  /** What cannot be read is as good as not there. */
  #readLog(effect: ReadLogEffect): void {
    const { id } = effect
    this.#options.storage.readLog(effect).then(
      (range) => this.#input({ kind: 'log-read', id, range }),
      () => this.#input({ kind: 'log-read', id, range: null }),
    )
  }

  #runOthers(): void {
    const sends = new Map<ConnectionId, Uint8Array[]>()
    for (const effect of this.#gate.takeOthers()) {
      if (effect.kind === 'client-send') {
        const waiting = sends.get(effect.connection)
        if (waiting === undefined) sends.set(effect.connection, [effect.bytes])
        else waiting.push(effect.bytes)
      } else if (effect.kind === 'client-close') {
        this.#sendToClient(effect.connection, sends.get(effect.connection))
        sends.delete(effect.connection)
        const channel = this.#clients.get(effect.connection)
        this.#clients.delete(effect.connection)
        channel?.close(effect.reason)
      } else if (effect.kind === 'trace') this.#options.onTrace?.(effect.event)
      else if (effect.kind === 'read-log') this.#readLog(effect)
      else if (effect.kind === 'close-link') this.#closeLink(effect.peer, effect.reason)
      else if (effect.kind === 'halt') this.#halt(effect.reason)
    }
    for (const [connection, frames] of sends) this.#sendToClient(connection, frames)
  }

  #sendToClient(connection: ConnectionId, frames: readonly Uint8Array[] | undefined): void {
    if (frames === undefined) return
    const [first] = frames
    if (first === undefined) return
    this.#clients.get(connection)?.send(frames.length === 1 ? first : concat(frames))
  }

  #closeLink(peer: ServerId, reason: string): void {
    const link = this.#links.get(peer)
    this.#links.delete(peer)
    link?.close(reason)
    this.#options.onCloseLink?.(peer, reason)
  }

  #storageFailed(error: unknown): void {
    if (this.#stopped) return
    const reason =
      error instanceof StorageError
        ? `storage failed (${error.code}): ${error.message}`
        : `storage failed: ${String(error)}`
    this.#step({ kind: 'storage-failed', reason })
    this.#runOthers()
    this.#halt(reason)
  }

  #halt(reason: string): void {
    if (this.#haltReason !== null) return
    this.#haltReason = reason
    this.stop(reason)
    this.#options.onHalt?.(reason)
  }
}

function atOnce(run: () => void): void {
  run()
}
