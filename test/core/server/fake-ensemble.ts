/**
 * One leading server and its followers without Zab: proposals commit at once, or when the test says
 * so, and packets between members arrive at once. What the seam promises (replica.ts) and no more.
 */
import { makeZxid, toServerId, ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import { EffectList } from '../../../src/core/zab/effect-list.ts'
import type { LogEntry, Moment } from '../../../src/core/zab/effect.ts'
import type { Broadcaster, ReplicaPacket } from '../../../src/core/zab/replica.ts'
import type { MemberEffect } from '../../../src/core/server/effect.ts'
import type { MakeEventDelivery } from '../../../src/core/server/event-delivery.ts'
import type { ServerConfig } from '../../../src/core/server/server-config.ts'
import { ZooKeeperServer } from '../../../src/core/server/zookeeper-server.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { TestClient, type ClientWire } from './test-client.ts'

export const TICK_TIME_MS = 2000
const STEP_MS = 50

export interface FakeOptions extends Partial<ServerConfig> {
  readonly followers?: number
  /** Behind the followers; they learn from the first of those (Q58). */
  readonly observers?: number
  readonly makeDelivery?: MakeEventDelivery
}

interface FakeMember {
  readonly server: ZooKeeperServer
  readonly effects: EffectList<MemberEffect>
  readonly clients: Map<number, TestClient>
}

export class FakeEnsemble {
  readonly members: FakeMember[] = []
  readonly log: LogEntry[] = []
  /** Effects of persistence and traces, of all members. */
  readonly others: MemberEffect[] = []
  autoCommit = true
  /** A link without order: what a learner asks next arrives behind what it asks after it. */
  swapsNext = false
  #overtaken: ReplicaPacket | null = null
  at: Moment = { elapsedMs: 1_000_000, wallMs: 1_700_000_000_000 }
  /** Of the observers with their master: another number, and they began anew. */
  conversation = 1
  readonly #proposed: LogEntry[] = []
  readonly #firstObserver: number
  #waiting: { readonly zxid: Zxid; readonly then: () => void }[] = []
  #lastZxid: Zxid
  #epoch = 1
  #counter = 0
  #committed: Zxid = ZXID_NONE
  #nextConnection = 1

  constructor(options: FakeOptions = {}) {
    const { followers = 0, observers = 0, makeDelivery, ...config } = options
    this.#lastZxid = makeZxid(1, 0)
    this.#firstObserver = followers + 1
    for (let i = 0; i <= followers + observers; i++) {
      const effects = new EffectList<MemberEffect>()
      const server = new ZooKeeperServer(
        {
          sid: toServerId(i + 1),
          sessionKey: new Uint8Array(16).fill(7),
          seed: 1,
          tickTimeMs: TICK_TIME_MS,
          ...config,
        },
        effects,
        this.at,
        makeDelivery,
      )
      server.attach(this.#broadcasterOf(i))
      this.members.push({ server, effects, clients: new Map() })
    }
    this.serve()
  }

  get leader(): ZooKeeperServer {
    return this.member(0).server
  }

  member(index: number): FakeMember {
    const member = this.members[index]
    if (member === undefined) throw new Error(`no member ${index}`)
    return member
  }

  serve(): void {
    this.leader.onService({ kind: 'leading', epoch: this.#epoch }, this.at)
    for (const { server } of this.members.slice(1)) {
      server.onService({ kind: 'following', epoch: this.#epoch, leader: toServerId(1) }, this.at)
    }
  }

  /** Everybody stops, as at the end of an epoch; what was proposed is lost unless it committed. */
  stop(): void {
    for (const { server } of this.members) {
      server.onService({ kind: 'stopped', reason: 'test' }, this.at)
    }
    this.#proposed.length = 0
    this.#waiting = []
    this.#epoch++
    this.#counter = 0
    this.#lastZxid = makeZxid(this.#epoch, 0)
    this.#drain()
  }

  client(index = 0, address = ''): TestClient {
    const member = this.member(index)
    const id = this.#nextConnection++
    const wire: ClientWire = {
      open: (_, from) => member.server.clientOpen(id, from, this.at),
      data: (_, bytes) => {
        member.server.clientData(id, bytes, this.at)
        this.#drain()
      },
      closed: () => member.server.clientClosed(id, this.at),
    }
    const client = new TestClient(wire, id, address)
    member.clients.set(id, client)
    this.#drain()
    return client
  }

  /** A client with a session. */
  session(index = 0, timeOut = 10_000): TestClient {
    return this.client(index).connect({ timeOut })
  }

  /** Commits the oldest proposals, all by default. */
  commit(count = Infinity): void {
    for (let i = 0; i < count && this.#proposed.length > 0; i++) {
      const entry = this.#proposed.shift() as LogEntry
      for (const { server } of this.members) server.deliver(entry, this.at)
      this.#committed = entry.zxid
      const due = this.#waiting.filter((w) => w.zxid <= entry.zxid)
      this.#waiting = this.#waiting.filter((w) => w.zxid > entry.zxid)
      for (const { then } of due) then()
    }
    this.#drain()
  }

  get proposedCount(): number {
    return this.#proposed.length
  }

  /** Lets time pass in ticks, with a PING round at each half tick time as a leader does (S10). */
  pass(ms: number, tickMs = STEP_MS): void {
    const end = this.at.elapsedMs + ms
    while (this.at.elapsedMs < end) {
      const step = Math.min(tickMs, end - this.at.elapsedMs)
      this.jump(step)
      for (const { server } of this.members.slice(1)) {
        const data = server.takeTouchedSessions()
        const index = this.members.findIndex((member) => member.server === server)
        this.#ask(index, { type: PacketType.PING, data })
        const told = this.leader.pingData(this.at)
        server.onLeaderPacket({ type: PacketType.PING, data: told }, this.at)
      }
      for (const { server } of this.members) server.tick(this.at)
      this.#drain()
    }
  }

  /** Time passes and nobody notices. */
  jump(elapsedMs: number, wallMs = elapsedMs): void {
    this.at = { elapsedMs: this.at.elapsedMs + elapsedMs, wallMs: this.at.wallMs + wallMs }
  }

  /** What a learner sends to whom it learns from. */
  #ask(index: number, packet: ReplicaPacket): void {
    if (this.swapsNext) {
      this.swapsNext = false
      this.#overtaken = packet
      return
    }
    const overtaken = this.#overtaken
    this.#overtaken = null
    this.#bring(index, packet)
    if (overtaken !== null) this.#bring(index, overtaken)
  }

  #bring(index: number, packet: ReplicaPacket): void {
    const sid = toServerId(index + 1)
    const { conversation } = this
    const { type, data, authinfo = [] } = packet
    if (index < this.#firstObserver) {
      this.leader.onLearnerPacket(sid, { type, data, authinfo }, this.at)
    } else this.member(1).server.onLearnerPacket(sid, { ...packet, conversation }, this.at)
  }

  #drain(): void {
    for (const member of this.members) {
      member.server.endStep()
      for (const effect of member.effects.take()) {
        if (effect.kind === 'client-send') {
          member.clients.get(effect.connection)?.onBytes(effect.bytes)
        } else if (effect.kind === 'client-close') {
          member.clients.get(effect.connection)?.onClosed(effect.reason)
        } else {
          this.others.push(effect)
        }
      }
    }
  }

  #broadcasterOf(index: number): Broadcaster {
    const isLeader = index === 0
    const idle = (): boolean => this.#proposed.length === 0
    return {
      nextZxid: () => {
        if (!isLeader) throw new Error('not leading')
        return (this.#lastZxid = makeZxid(this.#epoch, ++this.#counter))
      },
      propose: (zxid, entry) => {
        const logged: LogEntry = { zxid, entry }
        this.log.push(logged)
        this.#proposed.push(logged)
        if (this.autoCommit) this.commit()
      },
      get idle() {
        return idle()
      },
      whenCaughtUp: (then) => {
        if (this.#committed >= this.#lastZxid || idle()) then()
        else this.#waiting.push({ zxid: this.#lastZxid, then })
      },
      sendToLearner: (to, packet: ReplicaPacket) => {
        if ((packet.conversation ?? this.conversation) !== this.conversation) return
        this.member(to - 1).server.onLeaderPacket(packet, this.at)
      },
      distrust: () => {
        throw new Error('the trees of this ensemble are alike')
      },
      isLinked: () => true,
      hasLearner: () => true,
      sendToLeader: (packet: ReplicaPacket) => this.#ask(index, packet),
    }
  }
}
