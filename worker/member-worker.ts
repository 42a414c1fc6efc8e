/// <reference lib="webworker" />
/** One machine in its Web Worker: wires the adapters to the runtime, and the page to both. */
import * as Comlink from 'comlink'
import { IndexedDbIdentities } from '../src/adapters/indexeddb/identity-store.ts'
import { verify } from '../src/adapters/indexeddb/identity.ts'
import { openClientPort } from '../src/adapters/tabs/client-port.ts'
import { openIdentity } from '../src/adapters/tabs/identity-lock.ts'
import type { OpenedIdentity } from '../src/adapters/tabs/identity-lock.ts'
import { holdLiveness, watchLiveness } from '../src/adapters/tabs/liveness-lock.ts'
import { openChannelLink } from '../src/adapters/webrtc/channel-link.ts'
import { ClientMux, multiplexerOf } from '../src/adapters/webrtc/client-mux.ts'
import type { CopyFacts } from '../src/core/server/ensemble-copy.ts'
import type { TraceEvent } from '../src/core/zab/effect.ts'
import type { Link } from '../src/ports/link.ts'
import { exportFlight } from '../src/runtime/flight/export-flight.ts'
import { RoomMember } from '../src/runtime/room-member.ts'
import type {
  AdmittedPeer,
  ChannelLabel,
  HelloFields,
  MemberApi,
  NewFounder,
  StartOptions,
  StartResult,
  WorkerListener,
  WorkerStatus,
} from './protocol.ts'
import { makeFounder } from './new-founder.ts'
import { suitability } from './suitability.ts'

/** Channels and news of peers that come while the storage opens. Ours: a full room has some 130. */
const EARLY_MAX = 1_024
/**
 * Often enough for a person to see countdowns move; what cannot wait is told at once. Each time the
 * page lays out and paints, which is most of what an idle machine costs.
 */
const STATUS_INTERVAL_MS = 500
/** Ours: as long as what it salts. */
const SALT_BYTES = 20
const TOLD_AT_ONCE: ReadonlySet<TraceEvent['type']> = new Set(['role', 'established', 'link'])

export class MemberWorker implements MemberApi {
  #listener: WorkerListener | null = null
  #identity: OpenedIdentity | null = null
  #room: RoomMember | null = null
  #peerId = ''
  #size = 0
  #isStatusDue = false
  /** What the page said before the room was there, in order. */
  #early: ((room: RoomMember) => void)[] = []
  readonly #ended = new AbortController()

  async subscribe(listener: WorkerListener): Promise<void> {
    this.#listener = listener
    setInterval(() => this.#tellStatus(), STATUS_INTERVAL_MS)
  }

  async start(options: StartOptions): Promise<StartResult> {
    this.#peerId = options.peerId
    this.#size = options.size
    const opened = await openIdentity({
      room: options.roomId,
      source: new IndexedDbIdentities(options.roomId),
      previousIncarnation: options.previousIncarnation ?? undefined,
      suits: suitability(options.creator, options.cluster),
      signal: this.#ended.signal,
    })
    const identity = this.identityOf(opened)
    this.#identity = identity
    await holdLiveness(identity.incarnation)
    const recovered = await identity.storage.recover()
    this.#room = new RoomMember({
      identity,
      recovered,
      room: options.room,
      size: options.size,
      linkCreator: options.creator,
      linkCluster: options.cluster,
      clock: { now: () => ({ elapsedMs: performance.now(), wallMs: Date.now() }) },
      every,
      randomBytes,
      verify,
      tune: { readOnlyModeEnabled: options.readOnlyMode },
      watchLiveness: (incarnation, onGone, signal) => {
        void watchLiveness(incarnation, onGone, signal)
      },
      onTrace: (event) => {
        this.#listener?.onTrace(event, performance.timeOrigin + performance.now())
        if (TOLD_AT_ONCE.has(event.type)) this.#changed()
      },
      onChange: () => this.#changed(),
      onReplaceLink: (linkId, reason) => this.#listener?.onReplaceLink(linkId, reason),
      onRefuseLink: (linkId, reason) => this.#listener?.onRefuseLink(linkId, reason),
      onPageMessage: (linkId, bytes) => this.#listener?.onPageMessage(linkId, bytes),
    })
    for (const say of this.#early.splice(0)) say(this.#room)
    this.#tellStatus()
    return { incarnation: identity.incarnation, publicKey: identity.publicKey }
  }

  async stop(): Promise<void> {
    this.#room?.stop('stopped')
    this.#ended.abort()
    await this.#identity?.release()
  }

  async status(): Promise<WorkerStatus> {
    return this.#status()
  }

  async hello(): Promise<HelloFields> {
    const { identity, room } = this.#started()
    return {
      incarnation: identity.incarnation,
      publicKey: identity.publicKey,
      clusterId: room.clusterId,
      foundingRecord: room.foundingRecord,
      startChain: identity.meta.startChain,
    }
  }

  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#started().identity.sign(bytes)
  }

  async attachChannel(linkId: string, label: ChannelLabel, channel: RTCDataChannel): Promise<void> {
    this.#attach(linkId, label, channel)
  }

  async attachRelay(linkId: string, label: ChannelLabel, port: MessagePort): Promise<void> {
    this.#attach(linkId, label, port)
  }

  async admit(linkId: string, peer: AdmittedPeer): Promise<string | null> {
    return this.#started().room.admit(linkId, peer)
  }

  async opened(linkId: string): Promise<void> {
    this.#room?.opened(linkId)
  }

  async detach(linkId: string, reason: string): Promise<void> {
    this.#withRoom((room) => room.detach(linkId, reason))
  }

  async pageMessage(linkId: string, bytes: Uint8Array): Promise<void> {
    await this.#room?.pageMessage(linkId, bytes)
  }

  async arrivals(peerIds: readonly string[]): Promise<void> {
    this.#withRoom((room) => room.arrivals(peerIds, this.#peerId))
  }

  async copyFacts(): Promise<CopyFacts | null> {
    return this.#room?.running?.copyFacts() ?? null
  }

  async makeFounder(roomId: string): Promise<NewFounder> {
    const copy = this.#room?.running?.copy()
    if (copy === undefined) throw new Error('no member runs here, so there is nothing to copy')
    return makeFounder(roomId, copy)
  }

  async suspect(peerId: string): Promise<void> {
    this.#room?.suspect(peerId)
  }

  async flightRecording(payloads: boolean): Promise<Uint8Array | null> {
    const flight = this.#room?.flight() ?? null
    if (flight === null) return null
    const file = await exportFlight(flight, { payloads, salt: randomBytes(SALT_BYTES), pause })
    return Comlink.transfer(file, [file.buffer])
  }

  async connectClient(port: MessagePort, target: number | 'local'): Promise<void> {
    const channel = openClientPort(port, every)
    if (this.#room === null) return channel.close('this machine is starting')
    this.#room.connectClient(channel, target)
  }

  /** For the worker with faults, as the next one: what is used instead of the link. */
  protected linkOf(_linkId: string, link: Link, _label: ChannelLabel): Link {
    return link
  }

  protected identityOf(opened: OpenedIdentity): OpenedIdentity {
    return opened
  }

  #attach(linkId: string, label: ChannelLabel, source: RTCDataChannel | MessagePort): void {
    // At once: what comes over it before anybody listens is kept by the link.
    const link = this.linkOf(linkId, openChannelLink(source), label)
    if (label === 'quorum') {
      this.#withRoom((room) => room.attachQuorum(linkId, link))
      return
    }
    const mux = new ClientMux(link)
    this.#withRoom((room) => {
      room.attachClients(linkId, multiplexerOf(mux), (reason) => mux.close(reason))
    })
  }

  #withRoom(say: (room: RoomMember) => void): void {
    if (this.#room !== null) say(this.#room)
    else if (this.#early.length < EARLY_MAX) this.#early.push(say)
    else throw new Error('too much before this machine has started')
  }

  /** The page greets nobody before `start` has resolved. */
  #started(): { room: RoomMember; identity: OpenedIdentity } {
    const [room, identity] = [this.#room, this.#identity]
    if (room === null || identity === null) throw new Error('this machine has not started yet')
    return { room, identity }
  }

  /** Many changes of one task are one message. */
  #changed(): void {
    if (this.#isStatusDue) return
    this.#isStatusDue = true
    queueMicrotask(() => {
      this.#isStatusDue = false
      this.#tellStatus()
    })
  }

  #tellStatus(): void {
    this.#listener?.onStatus(this.#status())
  }

  #status(): WorkerStatus {
    const room = this.#room
    const incarnation = this.#identity?.incarnation ?? null
    if (room === null) {
      return {
        phase: 'starting',
        text: 'opening the storage of this machine',
        size: this.#size,
        here: 1,
        sid: null,
        voters: [],
        incarnation,
        creator: null,
        cluster: null,
        member: null,
        disk: null,
        peers: [],
        reachable: [],
      }
    }
    const { peers, ...status } = room.status()
    return {
      ...status,
      incarnation,
      peers: peers.map(({ peerId, incarnation: name, sid, linkId, isNode }) => {
        const kind = isNode === true ? { isNode } : {}
        return { peerId, incarnation: name, sid, linkId, ...kind }
      }),
      reachable: room.reachable(),
    }
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}

/** Timers are served in their turn, so everything that waits gets its own. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs)
  return () => clearInterval(timer)
}
