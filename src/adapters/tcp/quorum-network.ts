/**
 * The two ports between the servers of an ensemble (Q2): election connections and quorum
 * connections of one pair make up one Link. Only members of the configuration are let in, and only
 * pairs with a voter are linked.
 */
import type { Socket } from 'node:net'
import { JuteError } from '../../core/jute/jute-error.ts'
import {
  INITIAL_MESSAGE_V1,
  INITIAL_MESSAGE_V2,
  initialMessageRecord,
} from '../../core/jute/election-records.ts'
import { learnerInfoRecord, PacketType } from '../../core/jute/quorum-records.ts'
import { decode, encode } from '../../core/jute/record.ts'
import { decodePacket, encodePacket } from '../../core/zab/packets.ts'
import type { QuorumGroup } from '../../core/zab/hierarchical-verifier.ts'
import { encodeUtf8 } from '../../core/base/utf8.ts'
import type { ServerId } from '../../core/base/zxid.ts'
import type { Link } from '../../ports/link.ts'
import { ElectionConnection } from './election-connection.ts'
import { ElectionDialer } from './election-dialer.ts'
import { parseInitialMessage, type FirstMessage } from './first-message.ts'
import { PacketSplitter } from './packet-splitter.ts'
import { PeerLink } from './peer-link.ts'
import { PeerPort } from './peer-port.ts'
import {
  FRESH_CONNECTION_MS,
  HANDSHAKE_MS,
  LEADER_RETRY_MS,
  STEADY_CONNECTION_MS,
} from './quorum-limits.ts'
import {
  addressesOf,
  bracketed,
  configText,
  type QuorumAddress,
  type QuorumMember,
} from './quorum-member.ts'
import type { TlsSide } from './tls-side.ts'

export interface QuorumNetworkOptions {
  readonly sid: ServerId
  /** All of them, this one included. */
  readonly members: readonly QuorumMember[]
  /** group.N and weight.N, which stand in the text of the configuration. */
  readonly groups?: readonly QuorumGroup[]
  /** quorumListenOnAllIPs. Default: the address that the configuration says. */
  readonly listensOnAllAddresses?: boolean
  /** observerMasterPort: of participants, for observers (Q58). Default: there is none. */
  readonly observerMasterPort?: number | null
  /** cnxTimeout. */
  readonly connectTimeoutMs?: number
  /** connectToLearnerMasterLimit: ms for one attempt to reach a leader. */
  readonly leaderConnectMs?: number
  /** leaderConnectDelayDuringRetryMs: between two of them. */
  readonly leaderRetryMs?: number
  /** See the core's ZabTuning. */
  readonly packetBytesMax?: number | undefined
  /** A link to a member; it replaces an older one. */
  readonly onLink: (peer: ServerId, link: Link) => void
  /** Default: without. */
  readonly tls?: {
    /** Of members that are called, and of those that call; null: without TLS. */
    readonly outgoing: TlsSide | null
    readonly incoming: TlsSide | null
  }
  readonly onRefused?: (address: string, reason: string) => void
}

interface Peer {
  readonly member: QuorumMember
  readonly dialer: ElectionDialer
  link: PeerLink | null
  connectedMs: number
}

interface LearnerGreeting {
  readonly sid: bigint
  readonly packet: Uint8Array
}

export class QuorumNetwork {
  readonly #options: QuorumNetworkOptions
  readonly #self: QuorumMember
  readonly #configText: Uint8Array
  readonly #peers = new Map<ServerId, Peer>()
  /** Two for each address of this member, or three. */
  readonly #ports: (PeerPort<bigint> | PeerPort<LearnerGreeting>)[] = []
  #isClosed = false

  private constructor(options: QuorumNetworkOptions, self: QuorumMember) {
    this.#options = options
    this.#self = self
    this.#configText = encodeUtf8(configText(options.members, options.groups))
    for (const member of options.members) {
      const isPair = member.role === 'participant' || self.role === 'participant'
      if (member.sid !== self.sid && isPair) this.#peers.set(member.sid, this.#newPeer(member))
    }
  }

  /** Rejects when a port cannot be opened. */
  static async open(options: QuorumNetworkOptions): Promise<QuorumNetwork> {
    const self = options.members.find(({ sid }) => sid === options.sid)
    if (self === undefined) throw new Error(`no member has the id ${options.sid}`)
    const network = new QuorumNetwork(options, self)
    try {
      await network.#listen()
    } catch (error) {
      await network.close()
      throw error
    }
    for (const { dialer } of network.#peers.values()) dialer.want()
    return network
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { dialer, link } of this.#peers.values()) {
      dialer.stop()
      link?.close('shut down')
    }
    await Promise.all(this.#ports.map((port) => port.close()))
  }

  async #listen(): Promise<void> {
    for (const address of addressesOf(this.#self)) await this.#listenAt(address)
  }

  async #listenAt({ host: named, electionPort, quorumPort }: QuorumAddress): Promise<void> {
    const host = this.#options.listensOnAllAddresses === true ? null : named
    const onRefused = (address: string, reason: string): void => {
      this.#options.onRefused?.(address, reason)
    }
    const tls = this.#options.tls?.incoming ?? null
    const elections = await PeerPort.open({
      host,
      tls,
      port: electionPort,
      parse: parseInitialMessage,
      onPeer: (socket, sid, rest) => this.#onElectionPeer(socket, sid, rest),
      onRefused,
    })
    this.#ports.push(elections)
    const learners = await PeerPort.open({
      host,
      tls,
      port: quorumPort,
      parse: parseLearnerInfo,
      onPeer: (socket, said, rest) => this.#onLearner(socket, said, rest),
      onRefused,
    })
    this.#ports.push(learners)
    const { observerMasterPort = null } = this.#options
    if (observerMasterPort === null || this.#self.role === 'observer') return
    const observers = await PeerPort.open({
      host,
      tls,
      port: observerMasterPort,
      parse: parseObserverInfo,
      onPeer: (socket, said, rest) => this.#onLearner(socket, said, rest),
      onRefused,
    })
    this.#ports.push(observers)
  }

  #newPeer(member: QuorumMember): Peer {
    const { sid } = this.#self
    const addresses = addressesOf(this.#self)
    const peer: Peer = {
      member,
      link: null,
      connectedMs: -Infinity,
      dialer: new ElectionDialer({
        sid,
        peer: member,
        tls: this.#options.tls?.outgoing ?? null,
        greeting: encode(initialMessageRecord, {
          sid: BigInt(sid),
          protocolVersion: addresses.length > 1 ? INITIAL_MESSAGE_V2 : INITIAL_MESSAGE_V1,
          addresses: addresses.map(
            ({ host, electionPort }) => `${bracketed(host)}:${electionPort}`,
          ),
        }),
        connectTimeoutMs: this.#options.connectTimeoutMs ?? HANDSHAKE_MS,
        onConnected: (socket) => this.#adopt(peer, socket, new Uint8Array(0)),
      }),
    }
    return peer
  }

  #onElectionPeer(socket: Socket, sid: bigint, rest: Uint8Array): void {
    const peer = this.#peerOf(socket, sid)
    if (peer === null) return
    if (peer.member.sid > this.#self.sid) {
      this.#adopt(peer, socket, rest)
      return
    }
    // The smaller id wants to be called: it has no connection, or knows of none yet.
    socket.destroy()
    if (peer.link !== null && performance.now() - peer.connectedMs < FRESH_CONNECTION_MS) return
    peer.dialer.callNow()
  }

  #onLearner(socket: Socket, said: LearnerGreeting, rest: Uint8Array): void {
    const peer = this.#peerOf(socket, said.sid)
    if (peer === null) return
    // Without a link the core knows nobody; the learner comes again.
    if (peer.link === null) socket.destroy()
    else peer.link.acceptLearner(socket, said.packet, rest)
  }

  /** null: no member that this one is linked to; the connection is refused. */
  #peerOf(socket: Socket, sid: bigint): Peer | null {
    const address = socket.remoteAddress ?? 'somewhere'
    const peer = [...this.#peers.values()].find(({ member }) => BigInt(member.sid) === sid)
    if (peer !== undefined && !this.#isClosed) return peer
    socket.destroy()
    this.#options.onRefused?.(address, `server ${sid} is no member to be linked to`)
    return null
  }

  #adopt(peer: Peer, socket: Socket, early: Uint8Array): void {
    if (this.#isClosed) {
      socket.destroy()
      return
    }
    peer.dialer.satisfied()
    peer.connectedMs = performance.now()
    const kept = peer.link?.outlivesElection === true ? peer.link : null
    // `link` is there before the first event: those come later.
    const connection: ElectionConnection = new ElectionConnection(socket, {
      onNotification: (message) => link.onNotification(message),
      onPulse: (pulse) => link.onPulse(pulse),
      onClose: (reason) => {
        link.onElectionLost(connection, reason)
        if (peer.link === link) this.#want(peer)
      },
    })
    const link =
      kept ??
      new PeerLink(
        {
          sid: this.#self.sid,
          peer: peer.member,
          configText: this.#configText,
          observerMasterPort:
            this.#self.role === 'observer' ? (this.#options.observerMasterPort ?? null) : null,
          tls: this.#options.tls?.outgoing ?? null,
          connectMs: this.#options.leaderConnectMs ?? HANDSHAKE_MS,
          packetBytesMax: this.#options.packetBytesMax,
          retryMs: this.#options.leaderRetryMs ?? LEADER_RETRY_MS,
          onClosed: (closed) => this.#onLinkClosed(peer, closed),
        },
        connection,
      )
    if (kept !== null) kept.replaceElection(connection)
    else {
      const old = peer.link
      peer.link = link
      this.#options.onLink(peer.member.sid, link)
      old?.close('replaced by a newer link')
    }
    connection.start(early)
  }

  #onLinkClosed(peer: Peer, link: PeerLink): void {
    if (peer.link !== link) return
    peer.link = null
    this.#want(peer)
  }

  #want(peer: Peer): void {
    if (this.#isClosed) return
    // One that ends as soon as it is made ends again: then the pauses grow.
    if (performance.now() - peer.connectedMs > STEADY_CONNECTION_MS) peer.dialer.reset()
    peer.dialer.want()
  }
}

function parseLearnerInfo(bytes: Uint8Array): FirstMessage<LearnerGreeting> | null {
  return parseGreeting(bytes, PacketType.FOLLOWERINFO, PacketType.OBSERVERINFO)
}

/** The port for observers is for nobody else. */
function parseObserverInfo(bytes: Uint8Array): FirstMessage<LearnerGreeting> | null {
  return parseGreeting(bytes, PacketType.OBSERVERINFO)
}

/** The first packet of a learner (Q25). Throws JuteError for another one. */
function parseGreeting(
  bytes: Uint8Array,
  ...types: readonly number[]
): FirstMessage<LearnerGreeting> | null {
  const splitter = new PacketSplitter()
  splitter.push(bytes)
  const first = splitter.next()
  if (first === null) return null
  const { type, zxid, data } = decodePacket(first)
  if (!types.includes(type) || data === null) {
    throw new JuteError(`packet ${type} where a learner says who it is`)
  }
  const info = decode(learnerInfoRecord, data)
  // Apache ZooKeeper's learners make the zxid of an epoch's beginning the version of a
  // configuration that came from a file. Ours has none, and cannot be older.
  const plain = encode(learnerInfoRecord, { ...info, configVersion: 0n })
  const value = { sid: info.serverid, packet: encodePacket(type, zxid, plain) }
  return { value, length: first.length }
}
