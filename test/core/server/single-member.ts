/**
 * An ensemble of one voter on virtual time: the real MemberMachine, EffectGate and a memory disk,
 * driven as the runtime does it. What is asked of the disk is durable at once, so a request is
 * answered by the time its call returns; time passes only in `advance`.
 *
 *     const member = createSingleMember()
 *     const wire = member.connect({ onBytes, onClosed })   // frames both ways, as on TCP
 *     wire.send(bytes); member.advance(5_000); wire.close()
 *     member.client().connect()                            // or the TestClient of these tests
 *     member.restart()                                     // a crash, then the same disk again
 */
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { EffectGate } from '../../../src/core/effect-gate/effect-gate.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../../../src/core/server/effect.ts'
import {
  emptySnapshotChunk,
  MemberMachine,
  type MemberConfig,
  type MemberRules,
  type MemberStatus,
} from '../../../src/core/server/member-machine.ts'
import type { Moment, TraceEvent } from '../../../src/core/zab/effect.ts'
import { TestClient } from './test-client.ts'

const TICK_MS = 50
/** Longer than any election of one voter. */
const ELECTION_MS_MAX = 5000

export interface WireEvents {
  onBytes(bytes: Uint8Array): void
  onClosed(reason: string): void
}

export interface Wire {
  readonly connection: ConnectionId
  /** Whole length-prefixed frames. */
  send(bytes: Uint8Array): void
  close(): void
}

export interface SingleMemberOptions {
  /** What is changed in it counts from the next life on. */
  readonly config?: Partial<MemberConfig>
  readonly rules?: MemberRules
}

export class SingleMember {
  readonly disk = new MemoryDisk()
  readonly traces: TraceEvent[] = []
  machine: MemberMachine
  haltReason: string | null = null
  at: Moment = { elapsedMs: 1_000_000, wallMs: 1_700_000_000_000 }
  readonly #options: SingleMemberOptions
  readonly #wires = new Map<ConnectionId, WireEvents>()
  #gate = new EffectGate<MemberEffect>()
  #lives = 0
  #nextConnection = 1
  #isFlushing = false

  constructor(options: SingleMemberOptions) {
    this.#options = options
    this.disk.pinFoundingSync(new Uint8Array([1]), emptySnapshotChunk())
    this.machine = this.#boot()
  }

  status(): MemberStatus {
    return this.machine.status(this.at)
  }

  /** Lets virtual time pass in ticks. */
  advance(ms: number): void {
    const end = this.at.elapsedMs + ms
    while (this.at.elapsedMs < end) {
      this.jump(Math.min(TICK_MS, end - this.at.elapsedMs))
      this.input({ kind: 'tick', oldestAppendAgeMs: 0 })
    }
  }

  /** Time passes and the member does not run: it slept. */
  jump(ms: number): void {
    this.at = { elapsedMs: this.at.elapsedMs + ms, wallMs: this.at.wallMs + ms }
  }

  untilServing(): this {
    for (let ms = 0; !this.status().serving; ms += TICK_MS) {
      if (ms > ELECTION_MS_MAX) throw new Error(this.status().whyNotServing ?? 'not serving')
      this.advance(TICK_MS)
    }
    return this
  }

  connect(events: WireEvents): Wire {
    const connection = this.#nextConnection++
    this.#wires.set(connection, events)
    this.input({ kind: 'client-open', connection, address: '' })
    return {
      connection,
      send: (bytes) => {
        if (this.#wires.has(connection)) this.input({ kind: 'client-data', connection, bytes })
      },
      close: () => {
        if (this.#wires.delete(connection)) this.input({ kind: 'client-closed', connection })
      },
    }
  }

  client(): TestClient {
    let client: TestClient | null = null
    let closedEarly: string | null = null
    const wire = this.connect({
      onBytes: (bytes) => client?.onBytes(bytes),
      onClosed: (reason) => {
        closedEarly = reason
        client?.onClosed(reason)
      },
    })
    client = new TestClient(
      { open: () => {}, data: (_, bytes) => wire.send(bytes), closed: () => wire.close() },
      wire.connection,
    )
    if (closedEarly !== null) client.onClosed(closedEarly)
    return client
  }

  /** A client with a session. */
  session(timeOut = 10_000): TestClient {
    return this.client().connect({ timeOut })
  }

  /** Crash and start again from what was durable; connections are cut. */
  restart(): this {
    return this.reboot().untilServing()
  }

  /** The same, and nobody waits for it to serve: with other voters it may never. */
  reboot(): this {
    for (const events of this.#wires.values()) events.onClosed('member crashed')
    this.#wires.clear()
    this.disk.crash()
    this.jump(100)
    this.#gate = new EffectGate<MemberEffect>()
    this.machine = this.#boot()
    return this
  }

  input(input: MemberInput): void {
    this.machine.step(input, this.at)
    this.flush()
  }

  flush(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    for (let effects = this.machine.takeEffects(); ; effects = this.machine.takeEffects()) {
      this.#gate.offer(effects)
      const batch = this.#gate.takeBatch()
      this.#runOthers()
      if (batch === null) break
      this.disk.apply(batch)
      this.machine.step({ kind: 'persisted', mark: this.#gate.batchDone() }, this.at)
    }
    this.#isFlushing = false
  }

  #boot(): MemberMachine {
    this.#lives++
    this.disk.claim(`life ${this.#lives}`)
    const sid = toServerId(1)
    const config: MemberConfig = {
      sid,
      voters: [sid],
      clusterId: 'test',
      sessionKey: new Uint8Array(32).fill(9),
      seed: 1,
      tickTimeMs: 2000,
      ...this.#options.config,
    }
    return new MemberMachine(config, this.disk.recoverSync(), this.at, this.#options.rules)
  }

  #runOthers(): void {
    for (const effect of this.#gate.takeOthers()) {
      if (effect.kind === 'client-send') {
        this.#wires.get(effect.connection)?.onBytes(effect.bytes)
      } else if (effect.kind === 'client-close') {
        const events = this.#wires.get(effect.connection)
        this.#wires.delete(effect.connection)
        events?.onClosed(effect.reason)
      } else if (effect.kind === 'trace') this.traces.push(effect.event)
      else if (effect.kind === 'halt') this.haltReason = effect.reason
    }
  }
}

/** A founded member that leads and serves. */
export function createSingleMember(options: SingleMemberOptions = {}): SingleMember {
  return new SingleMember(options).untilServing()
}
