/**
 * Serving as a follower: forwards writes, remembers who showed a sign of life (Q60, S10, S14); for
 * its own clients, and for observers that learn from it (Q58).
 */
import { toSessionId, type ServerId, type SessionId } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import {
  forwardedRequestRecord,
  PacketType,
  revalidateRequestRecord,
  revalidateResponseRecord,
} from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import type { Moment } from '../zab/effect.ts'
import type { Broadcaster, ReplicaPacket } from '../zab/replica.ts'
import type { Connection } from './connection.ts'
import type { Request } from './request.ts'
import { decodePing, encodePing, type DigestClaim } from './digest-claim.ts'
import { AnswerLine, Relayed } from './relayed.ts'
import type { RoleService, ServiceHost } from './role-service.ts'

/** Older than several PINGs, what the leader said is no news any more, ms. */
const TOLD_AGE_MAX_MS = 5000

export class FollowerService implements RoleService {
  readonly #broadcaster: Broadcaster
  readonly #host: ServiceHost
  /** Sessions heard of since the leader's last PING, with their timeouts (S10). */
  #touched = new Map<SessionId, number>()
  /** Answered in the order in which they were sent: a SYNC packet names no request. */
  readonly #syncs = new AnswerLine<Request>()
  readonly #revalidations = new AnswerLine<{ readonly session: SessionId }>()
  readonly #revalidating = new Map<SessionId, Connection>()
  /** Remaining ms of the sessions nearest to their end, by the leader's last PING. */
  #remaining = new Map<bigint, number>()
  #toldAtMs = 0
  /** What this tree is at the zxid that the leader told last. */
  #claim: DigestClaim | null = null
  #hasDiffered = false

  constructor(broadcaster: Broadcaster, host: ServiceHost) {
    this.#broadcaster = broadcaster
    this.#host = host
  }

  /** Only the leader knows whether the session lives; it hears of this with the next PING. */
  touch(session: SessionId, timeoutMs: number): boolean {
    this.#touched.set(session, timeoutMs)
    return true
  }

  forward(request: Request): void {
    if (request.type === OpCode.sync) this.#syncs.ask(request)
    const { session, cxid, type, body, authInfo } = request
    this.#broadcaster.sendToLeader({
      type: PacketType.REQUEST,
      data: encode(forwardedRequestRecord, { sessionId: session, cxid, type, request: body }),
      authinfo: authInfo,
    })
  }

  reopen(connection: Connection): void {
    const { session, timeoutMs } = connection
    this.#revalidating.set(session, connection)
    this.#revalidations.ask({ session })
    this.#broadcaster.sendToLeader({
      type: PacketType.REVALIDATE,
      data: encode(revalidateRequestRecord, { sessionId: session, timeout: timeoutMs }),
    })
  }

  committed(): void {}

  tick(): void {}

  /** As the leader told with its last PING; null for what it did not mention or long ago. */
  remainingMs(session: SessionId, at: Moment): number | null {
    const ageMs = at.elapsedMs - this.#toldAtMs
    const toldMs = this.#remaining.get(session)
    if (toldMs === undefined || ageMs > TOLD_AGE_MAX_MS) return null
    return Math.max(0, toldMs - ageMs)
  }

  takeTouched(): Uint8Array {
    const sessions = [...this.#touched].map(([sessionId, timeout]) => ({ sessionId, timeout }))
    this.#touched = new Map()
    return encodePing({ sessions, claim: this.#claim })
  }

  /**
   * To the leader, which knows this server as the one that speaks for these sessions; the commit
   * goes to every observer anyway.
   */
  onLearnerPacket(from: ServerId, packet: ReplicaPacket): void {
    switch (packet.type) {
      case PacketType.REQUEST: {
        const { type } = decode(forwardedRequestRecord, packet.data)
        if (type === OpCode.sync) this.#syncs.relay(from, packet)
        break
      }
      case PacketType.REVALIDATE:
        decode(revalidateRequestRecord, packet.data)
        this.#revalidations.relay(from, packet)
        break
      case PacketType.PING: {
        // At once: their deadlines do not wait for another PING. Trees are compared by voters.
        const { sessions } = decodePing(packet.data)
        if (sessions.length === 0) return
        const data = encodePing({ sessions, claim: null })
        this.#broadcaster.sendToLeader({ type: PacketType.PING, data })
        return
      }
      default:
        return
    }
    this.#broadcaster.sendToLeader(packet)
  }

  /** Throws JuteError when the leader sent what is no packet. */
  onLeaderPacket(packet: ReplicaPacket, at: Moment): void {
    if (packet.type === PacketType.SYNC) {
      const asked = this.#syncs.next()
      if (asked === undefined) return
      if (asked instanceof Relayed) this.#goOn(asked, packet)
      else this.#host.syncAnswered(asked)
    } else if (packet.type === PacketType.REVALIDATE) {
      this.#onRevalidated(packet)
    } else if (packet.type === PacketType.PING) {
      const { sessions, claim } = decodePing(packet.data)
      this.#remaining = new Map(sessions.map(({ sessionId, timeout }) => [sessionId, timeout]))
      this.#toldAtMs = at.elapsedMs
      if (claim !== null) this.#compare(claim)
    }
  }

  #onRevalidated(packet: ReplicaPacket): void {
    const { sessionId, valid } = decode(revalidateResponseRecord, packet.data)
    const asked = this.#revalidations.next()
    if (asked instanceof Relayed) {
      this.#goOn(asked, packet)
      return
    }
    const session = toSessionId(sessionId)
    const connection = this.#revalidating.get(session)
    this.#revalidating.delete(session)
    if (connection !== undefined) this.#host.finishConnect(connection, valid)
  }

  #goOn(asked: Relayed, answer: ReplicaPacket): void {
    this.#broadcaster.sendToLearner(asked.observer, asked.answer(answer))
  }

  /**
   * Everything the leader had applied when it said this is applied here, since it came before. The
   * first difference is only told: when a quorum of learners differs, the leader is wrong and is
   * gone before it says something again.
   */
  #compare(claim: DigestClaim): void {
    const own = this.#host.claim()
    this.#claim = own?.zxid === claim.zxid ? own : null
    if (this.#claim === null) return
    const isSame = this.#claim.digest === claim.digest
    if (!isSame && this.#hasDiffered) this.#host.diverged(claim, "the leader's tree is another")
    this.#hasDiffered = !isSame
  }
}
