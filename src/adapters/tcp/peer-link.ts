/**
 * The link to one member over ZooKeeper's two ports: pulses and votes go over the election
 * connection, and each conversation of a learner with its leader is a quorum connection of its
 * own, whose end is the end of the conversation.
 *
 * A member of ours answers pulses. Any other is alive as long as its connections are: its pulses
 * are answered here.
 */
import type { Socket } from 'node:net'
import type { ServerId } from '../../core/base/zxid.ts'
import { notificationRecord } from '../../core/jute/election-records.ts'
import { decode, encode } from '../../core/jute/record.ts'
import { decodeFrame, encodeFrames } from '../../core/zab/frame.ts'
import { decodePulse, encodePulse, PulseKind } from '../../core/zab/packets.ts'
import type { Link } from '../../ports/link.ts'
import { Conversation, type ConversationEvents } from './conversation.ts'
import type { ElectionConnection } from './election-connection.ts'
import { PULSES_UNANSWERED_MAX } from './quorum-limits.ts'
import { AddressTurns, type QuorumMember } from './quorum-member.ts'
import { dial, type TlsSide } from './tls-side.ts'

export interface PeerLinkHost {
  readonly sid: ServerId
  readonly peer: QuorumMember
  /** Text of the configuration: what a notification carries (Q9). */
  readonly configText: Uint8Array
  /** Where an observer learns from followers too (Q58); null: only of the leader's quorum port. */
  readonly observerMasterPort: number | null
  /** null: the leader is reached without TLS. */
  readonly tls: TlsSide | null
  /** For one attempt to reach the leader's quorum port, and between two. */
  readonly connectMs: number
  readonly retryMs: number
  /** See the core's ZabTuning. */
  readonly packetBytesMax: number | undefined
  /** The link is over; once. */
  readonly onClosed: (link: PeerLink) => void
}

/** Conversation numbers: whose it is, and a counter (see the core's QuorumPeer). */
const CONVERSATIONS = 2 ** 24
/** Quorum connections of one peer. Ours. */
const TALKS_MAX = 4

interface Talk {
  /** null: the leader's port is still to be reached. */
  conversation: Conversation | null
  waiting: Uint8Array[]
  /** Ends the attempt to reach the leader. */
  giveUp: () => void
}

export class PeerLink implements Link {
  onWritable: () => void = ignore
  readonly #host: PeerLinkHost
  readonly #talks = new Map<number, Talk>()
  #election: ElectionConnection
  #onMessage: ((message: Uint8Array) => void) | null = null
  #onClose: ((reason: string) => void) | null = null
  #early: Uint8Array[] = []
  #isElectionUp = true
  #isOurs = false
  #pulsesUnanswered = 0
  #accepted = 0
  #isOpen = true
  #closeReason: string | null = null
  readonly #addresses: AddressTurns

  constructor(host: PeerLinkHost, election: ElectionConnection) {
    this.#host = host
    this.#addresses = new AddressTurns(host.peer, host.observerMasterPort)
    this.#election = election
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get bufferedBytes(): number {
    let bytes = 0
    for (const { conversation } of this.#talks.values()) bytes += conversation?.unsentBytes ?? 0
    return bytes
  }

  /** Other servers than ours open a new election connection while a conversation goes on. */
  get outlivesElection(): boolean {
    return this.#isOpen && !this.#isOurs && this.#talks.size > 0
  }

  onElectionLost(connection: ElectionConnection, reason: string): void {
    if (this.#election !== connection) return
    this.#isElectionUp = false
    if (!this.outlivesElection) this.close(reason)
  }

  set onMessage(listen: (message: Uint8Array) => void) {
    this.#onMessage = listen
    for (const message of this.#early.splice(0)) listen(message)
  }

  get onMessage(): (message: Uint8Array) => void {
    return this.#onMessage ?? ignore
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    if (this.#closeReason !== null) this.#tellClosed()
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? ignore
  }

  replaceElection(connection: ElectionConnection): void {
    const old = this.#election
    this.#election = connection
    this.#isElectionUp = true
    old.close('replaced by a newer connection')
  }

  send(frame: Uint8Array): void {
    if (!this.#isOpen) return
    const { lane, conversation, packets } = decodeFrame(frame, this.#host.packetBytesMax)
    if (lane === 'pulse') for (const packet of packets) this.#sendPulse(packet)
    else if (lane === 'election') for (const packet of packets) this.#sendNotification(packet)
    else this.#sendPackets(conversation, packets)
  }

  /** From the election connection. */
  onNotification(message: Uint8Array): void {
    this.#deliver(encodeFrames('election', 0, [message]))
  }

  /** From the election connection: only members of ours send them. */
  onPulse(pulse: Uint8Array): void {
    this.#isOurs = true
    this.#deliver(encodeFrames('pulse', 0, [pulse]))
  }

  /** The peer follows this member, or tries to; `first` is what it said. */
  acceptLearner(socket: Socket, first: Uint8Array, rest: Uint8Array): void {
    const number = this.#newConversation()
    this.#endOldest()
    this.#talks.set(number, {
      conversation: this.#converse(number, socket, true),
      waiting: [],
      giveUp: ignore,
    })
    this.#deliver(encodeFrames('stream', number, [first]))
    this.#talks.get(number)?.conversation?.receive(rest)
    socket.resume()
  }

  close(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#closeReason = reason
    this.#election.close(reason)
    for (const talk of this.#talks.values()) {
      talk.giveUp()
      talk.conversation?.destroy()
    }
    this.#talks.clear()
    this.#early = []
    this.#host.onClosed(this)
    queueMicrotask(() => this.#tellClosed())
  }

  #tellClosed(): void {
    const reason = this.#closeReason
    const listen = this.#onClose
    if (reason === null || listen === null) return
    this.#closeReason = null
    listen(reason)
  }

  #sendPulse(packet: Uint8Array): void {
    const { kind, value } = decodePulse(packet)
    if (kind === PulseKind.END) {
      this.#endTalk(value)
      return
    }
    if (!this.#isOurs && kind === PulseKind.PING) {
      const answer = encodeFrames('pulse', 0, [encodePulse(PulseKind.PONG, value)])
      queueMicrotask(() => this.#deliver(answer))
      this.#pulsesUnanswered++
    }
    if (this.#isOurs || this.#pulsesUnanswered <= PULSES_UNANSWERED_MAX) {
      this.#election.sendPulse(packet)
    }
  }

  /** The core knows no text of its configuration; Apache ZooKeeper cannot do without. */
  #sendNotification(packet: Uint8Array): void {
    const said = decode(notificationRecord, packet)
    const config = this.#host.configText
    this.#election.sendNotification(encode(notificationRecord, { ...said, config }))
  }

  #sendPackets(number: number, packets: readonly Uint8Array[]): void {
    const talk = this.#talks.get(number) ?? this.#begin(number)
    if (talk === null) return
    // Views of the frame, which is ours.
    if (talk.conversation === null) talk.waiting.push(...packets)
    else talk.conversation.send(packets)
  }

  /** The first packet to a leader opens the connection to it. null: that conversation is over. */
  #begin(number: number): Talk | null {
    if (!this.#isOwn(number)) return null
    const talk: Talk = { conversation: null, waiting: [], giveUp: ignore }
    this.#talks.set(number, talk)
    this.#reach(number, talk)
    return talk
  }

  #reach(number: number, talk: Talk): void {
    const { host, quorumPort } = this.#addresses.current
    const { socket, readyOn } = dial(host, quorumPort, this.#host.tls)
    let retry: ReturnType<typeof setTimeout> | undefined
    const limit = setTimeout(() => socket.destroy(), this.#host.connectMs)
    talk.giveUp = () => {
      clearTimeout(limit)
      clearTimeout(retry)
      socket.destroy()
    }
    // It says the same as 'close'; without a listener it would end the process.
    socket.on('error', ignore)
    const onClose = (): void => {
      clearTimeout(limit)
      if (this.#talks.get(number) !== talk) return
      this.#addresses.next()
      retry = setTimeout(() => this.#reach(number, talk), this.#host.retryMs)
    }
    socket.once('close', onClose)
    socket.once(readyOn, () => {
      clearTimeout(limit)
      socket.off('close', onClose)
      if (this.#talks.get(number) !== talk) return
      talk.giveUp = ignore
      talk.conversation = this.#converse(number, socket, false)
      talk.conversation.send(talk.waiting)
      talk.waiting = []
    })
  }

  #converse(number: number, socket: Socket, isLeader: boolean): Conversation {
    const events: ConversationEvents = {
      onPackets: (packets) => {
        for (const frame of encodeFrames('stream', number, packets)) this.#deliver(frame)
      },
      onClose: () => {
        this.#talks.delete(number)
        this.#deliver(encodeFrames('pulse', 0, [encodePulse(PulseKind.END, number)]))
        this.#checkAlive()
      },
    }
    return new Conversation(socket, isLeader, events, this.#host.packetBytesMax)
  }

  /** The core keeps one of a peer; what it forgot without a word does not pile up. */
  #endOldest(): void {
    const accepted = [...this.#talks.keys()].filter((number) => !this.#isOwn(number))
    const [oldest] = accepted
    if (oldest !== undefined && accepted.length >= TALKS_MAX) this.#endTalk(oldest)
  }

  #isOwn(number: number): boolean {
    return Math.floor(number / CONVERSATIONS) === this.#host.sid
  }

  #endTalk(number: number): void {
    const talk = this.#talks.get(number)
    this.#talks.delete(number)
    talk?.giveUp()
    talk?.conversation?.end()
    this.#checkAlive()
  }

  #checkAlive(): void {
    if (!this.#isElectionUp && this.#talks.size === 0) this.close('no connection is left')
  }

  #newConversation(): number {
    this.#accepted = (this.#accepted + 1) % CONVERSATIONS
    return this.#host.peer.sid * CONVERSATIONS + this.#accepted
  }

  #deliver(frame: Uint8Array | readonly Uint8Array[]): void {
    const frames = frame instanceof Uint8Array ? [frame] : frame
    for (const one of frames) {
      if (!this.#isOpen) return
      if (this.#onMessage !== null) this.#onMessage(one)
      else this.#early.push(one)
    }
  }
}

function ignore(): void {}
