/**
 * A machine of a room in a process of Node: the member of a tab with its files on disk, its links
 * by WebRTC, and ZooKeeper's client port in front. A founder when it comes before the founding,
 * else an observer. A face: it wires adapters, it decides nothing.
 *
 * Clients of its port are the own member's. While none runs here (no place, not founded yet) they
 * are handed on to a voter that this process reaches.
 */
import { ClientListener } from '../../adapters/tcp/client-listener.ts'
import { verify } from '../../adapters/indexeddb/identity.ts'
import { openChannelLink } from '../../adapters/webrtc/channel-link.ts'
import { ClientMux, multiplexerOf } from '../../adapters/webrtc/client-mux.ts'
import type { Doctor } from '../../adapters/webrtc/doctor/doctor.ts'
import type { IceSettings } from '../../adapters/webrtc/ice-settings.ts'
import { partOf } from '../../adapters/webrtc/mesh-signal.ts'
import type { ChannelLabel } from '../../adapters/webrtc/page-connection.ts'
import { PeerMesh } from '../../adapters/webrtc/peer-mesh.ts'
import { rtcPeerOpener, type WebRtc } from '../../adapters/webrtc/rtc-peer.ts'
import { BUILD } from '../../browser/build-id.ts'
import type { MemberStatus } from '../../core/server/member-machine.ts'
import type { Moment, TraceEvent } from '../../core/zab/effect.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import type { OpenSocket, SignalingState } from '../../ports/signaling.ts'
import type { Member } from '../../runtime/member.ts'
import { RoomMember } from '../../runtime/room-member.ts'
import type { RoomMemberStatus } from '../../runtime/room-options.ts'
import { joinRoom, type SignalingClient } from '../../signaling/client.ts'
import { Administration } from '../admin/administration.ts'
import type { ServerSettings } from '../settings.ts'
import { brokerAddress } from './asked-room.ts'
import type { MachineHome } from './machine-home.ts'
import { roomDoctor } from './room-doctor.ts'

export interface RoomServerOptions {
  /** Its client port, limits and words; what is about ensembles of processes does not apply. */
  readonly settings: ServerSettings
  /** Stays open when the server closes: it is the caller's. */
  readonly home: MachineHome
  readonly webRtc: WebRtc
  readonly openSocket: OpenSocket
  readonly ice: IceSettings
  readonly onStatus?: (status: RoomMemberStatus) => void
  readonly onSignaling?: (state: SignalingState) => void
  readonly onTrace?: (event: TraceEvent) => void
}

/**
 * Between our close and the end of the process: the other sides are told by packets that leave on
 * other threads. Ours: an order above what a loopback takes.
 */
const FAREWELL_MS = 150
/** What does not change with a word from the member: how long others are silent. */
const STATUS_INTERVAL_MS = 500
const TOLD_AT_ONCE: ReadonlySet<TraceEvent['type']> = new Set(['role', 'established', 'link'])

export class RoomServer implements AsyncDisposable {
  readonly administration: Administration
  readonly #options: RoomServerOptions
  readonly #signaling: SignalingClient
  readonly #room: RoomMember
  readonly #mesh: PeerMesh
  readonly #doctor: Doctor
  readonly #listener: ClientListener
  readonly #stopStatus: () => void
  #administered: Member | null = null
  #isClosed = false
  #isStatusDue = false

  private constructor(
    options: RoomServerOptions,
    signaling: SignalingClient,
    listener: ClientListener,
  ) {
    const { settings, ice, webRtc } = options
    this.#options = options
    this.#signaling = signaling
    this.#listener = listener
    this.administration = new Administration({ settings, now })
    signaling.onState = (state) => options.onSignaling?.(state)
    this.#room = this.#openRoom()
    const mesh = this.#openMesh()
    this.#mesh = mesh
    this.#doctor = roomDoctor({ mesh, signaling, ice, webRtc, status: () => this.status() })
    this.#stopStatus = every(STATUS_INTERVAL_MS, () => this.#changed())
    this.#changed()
  }

  /** Resolves when the client port is open, in the room or not yet: `status` tells. */
  static async open(options: RoomServerOptions): Promise<RoomServer> {
    const { home, openSocket } = options
    const { room, secret } = home.link
    const url = brokerAddress(home.room)
    let server: RoomServer | null = null
    // First: nobody hears of a machine whose port is taken.
    const listener = await listen(options.settings, () => server)
    try {
      server = new RoomServer(options, await joinRoom({ url, room, secret, openSocket }), listener)
      await server.administration.listen()
      return server
    } catch (error) {
      await (server === null ? listener.close() : server.close())
      throw error
    }
  }

  get clientPort(): number {
    return this.#listener.port
  }

  status(): RoomMemberStatus {
    return this.#room.status()
  }

  /** A client of the port. */
  serve(channel: ClientChannel, address: string, port: number): void {
    const [way] = this.#room.reachable()
    if (way === undefined) return channel.close('this machine reaches no ensemble yet')
    this.#room.connectClient(this.administration.tapClient(channel, address, port), way, address)
  }

  /** Peers see it at once. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopStatus()
    this.#room.stop('stopped')
    this.#mesh.closeAllSync('left')
    this.#signaling.close('left')
    await Promise.all([this.#listener.close(), this.administration.close(), pause(FAREWELL_MS)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #openRoom(): RoomMember {
    const { home } = this.#options
    const { room, size, creator, cluster } = home.link
    const { identity } = home
    return new RoomMember({
      identity: { ...identity, storage: this.administration.tapStorage(identity.storage) },
      recovered: home.recovered,
      ...{ room, size },
      linkCreator: creator,
      linkCluster: cluster,
      clock: { now },
      every,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      verify,
      // Locks between tabs of one browser: a process has the broker's hints only.
      watchLiveness: () => {},
      onTrace: (event) => this.#onTrace(event),
      onChange: () => this.#changed(),
      onReplaceLink: (linkId, reason) => this.#mesh.replace(linkId, reason),
      onRefuseLink: (linkId, reason) => this.#mesh.refuse(linkId, reason),
      onPageMessage: (linkId, bytes) => void this.#mesh.sendPage(linkId, bytes),
    })
  }

  #openMesh(): PeerMesh {
    const { home, webRtc, ice } = this.#options
    const room = this.#room
    return new PeerMesh({
      signaling: this.#signaling,
      build: BUILD,
      hello: async () => ({
        incarnation: home.identity.incarnation,
        publicKey: home.identity.publicKey,
        clusterId: room.clusterId,
        foundingRecord: room.foundingRecord,
        startChain: home.identity.meta.startChain,
        isNode: true,
      }),
      sign: (bytes) => home.identity.sign(bytes),
      attachChannel: (linkId, label, channel) => this.#attach(linkId, label, channel),
      attachPort: (linkId, label, port) => this.#attach(linkId, label, port),
      admit: (linkId, peer) => room.admit(linkId, peer),
      onAdmitted: (linkId) => room.opened(linkId),
      part: () => {
        const { sid, voters } = room.status()
        return partOf(sid, voters)
      },
      onLinkClosed: (linkId, _peer, reason) => room.detach(linkId, reason),
      onPageMessage: (linkId, bytes) => void room.pageMessage(linkId, bytes),
      onSuspect: (peer) => room.suspect(peer),
      onArrivals: (peers) => {
        room.arrivals(
          peers.map((one) => one.peer),
          this.#signaling.peer,
        )
      },
      onDoctor: (from, message) => this.#doctor.receive(from, message),
      openPeer: rtcPeerOpener(webRtc),
      ...ice,
    })
  }

  #attach(linkId: string, label: ChannelLabel, source: RTCDataChannel | MessagePort): void {
    const link = openChannelLink(source)
    if (label === 'quorum') return this.#room.attachQuorum(linkId, link)
    const mux = new ClientMux(link)
    this.#room.attachClients(linkId, multiplexerOf(mux), (reason) => mux.close(reason))
  }

  #onTrace(event: TraceEvent): void {
    this.administration.onTrace(event)
    this.#options.onTrace?.(event)
    if (TOLD_AT_ONCE.has(event.type)) this.#changed()
  }

  /** Many changes of one task are one status. */
  #changed(): void {
    if (this.#isStatusDue) return
    this.#isStatusDue = true
    queueMicrotask(() => {
      this.#isStatusDue = false
      if (this.#isClosed) return
      this.#administer(this.#room.running)
      this.#options.onStatus?.(this.status())
    })
  }

  /** An observer's member is another one when it got another place. */
  #administer(member: Member | null): void {
    if (member === this.#administered) return
    this.#administered = member
    if (member === null) return this.administration.administer(null)
    const { clientPort } = this
    const status = (): MemberStatus => member.status()
    this.administration.administer({ clientPort, status, server: member.server })
  }
}

function listen(
  settings: ServerSettings,
  server: () => RoomServer | null,
): Promise<ClientListener> {
  const { clientPort, clientAddress, connectionsMax, connectionsPerAddressMax } = settings
  return ClientListener.open({
    port: clientPort ?? 0,
    ...(clientAddress === null ? {} : { host: clientAddress }),
    connectionsMax,
    perAddressMax: connectionsPerAddressMax,
    onClient: (channel, { address, port }) => {
      const open = server()
      if (open === null) channel.close('starting')
      else open.serve(channel, address, port)
    },
    onWord: (word, from, rest) => server()?.administration.answerWord(word, from, rest) ?? null,
    onRefused: (address, reason) => server()?.administration.refused(address, reason),
  })
}

function now(): Moment {
  return { elapsedMs: performance.now(), wallMs: Date.now() }
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs)
  return () => clearInterval(timer)
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
