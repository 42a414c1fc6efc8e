/** Serving as a follower: forwards writes, remembers who showed a sign of life (Q60, S10, S14). */
import { Deque } from '../base/deque.ts'
import { toSessionId, type SessionId } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import {
  forwardedRequestRecord,
  PacketType,
  revalidateRequestRecord,
  revalidateResponseRecord,
  touchedSessionsRecord,
} from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import type { Broadcaster, ReplicaPacket } from '../zab/replica.ts'
import type { Connection } from './connection.ts'
import type { Request } from './request.ts'
import type { RoleService, ServiceHost } from './role-service.ts'

export class FollowerService implements RoleService {
  readonly #broadcaster: Broadcaster
  readonly #host: ServiceHost
  /** Sessions heard of since the leader's last PING, with their timeouts (S10). */
  #touched = new Map<SessionId, number>()
  /** Answered in the order in which they were sent: a SYNC packet names no request. */
  readonly #syncs = new Deque<Request>()
  readonly #revalidating = new Map<SessionId, Connection>()

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
    if (request.type === OpCode.sync) this.#syncs.pushBack(request)
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
    this.#broadcaster.sendToLeader({
      type: PacketType.REVALIDATE,
      data: encode(revalidateRequestRecord, { sessionId: session, timeout: timeoutMs }),
    })
  }

  committed(): void {}

  tick(): void {}

  remainingMs(): null {
    return null
  }

  takeTouched(): Uint8Array {
    const sessions = [...this.#touched].map(([sessionId, timeout]) => ({ sessionId, timeout }))
    this.#touched = new Map()
    return encode(touchedSessionsRecord, sessions)
  }

  /** Throws JuteError when the leader sent what is no packet. */
  onLeaderPacket(packet: ReplicaPacket): void {
    if (packet.type === PacketType.SYNC) {
      const request = this.#syncs.popFront()
      if (request !== undefined) this.#host.syncAnswered(request)
    } else if (packet.type === PacketType.REVALIDATE) {
      const { sessionId, valid } = decode(revalidateResponseRecord, packet.data)
      const session = toSessionId(sessionId)
      const connection = this.#revalidating.get(session)
      this.#revalidating.delete(session)
      if (connection !== undefined) this.#host.finishConnect(connection, valid)
    }
  }
}
