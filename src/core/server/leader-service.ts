/**
 * Serving as the leader: prepares and proposes, for its own clients and for learners (Q59, S7–S15).
 */
import { EMPTY_BYTES } from '../base/bytes.ts'
import { toSessionId, type ServerId, type SessionId, type Zxid } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import {
  forwardedRequestRecord,
  PacketType,
  revalidateRequestRecord,
  revalidateResponseRecord,
} from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import { createSessionTxnRecord, type TxnHeader } from '../jute/txn-records.ts'
import { encodeTxn, type SimpleTxn, type Txn } from '../jute/txn.ts'
import type { DataTree } from '../tree/data-tree.ts'
import type { Moment } from '../zab/effect.ts'
import { answerIn, type Broadcaster, type ReplicaPacket } from '../zab/replica.ts'
import { ChangeRecords, type NodeView } from './change-records.ts'
import type { Connection } from './connection.ts'
import { decodePing, encodePing, type PingData } from './digest-claim.ts'
import { DigestJury } from './digest-jury.ts'
import { prepareRequest } from './prep-request.ts'
import { ObserverAdmission } from './observer-admission.ts'
import type { PrepState } from './prep-state.ts'
import { Reaper } from './reaper.ts'
import { createRequest, type Request } from './request.ts'
import type { RoleService, ServiceHost } from './role-service.ts'
import { entryBytesMax, type ServerConfig } from './server-config.ts'
import { SessionTracker } from './session-tracker.ts'

/** Sessions whose remaining time a PING carries. Ours: 768 bytes each half tick. */
const PING_SESSIONS_MAX = 64

export class LeaderService implements RoleService {
  readonly #sid: ServerId
  readonly #broadcaster: Broadcaster
  readonly #host: ServiceHost
  readonly #tracker: SessionTracker
  readonly #records: ChangeRecords
  readonly #prep: PrepState
  readonly #observers: ObserverAdmission
  readonly #reaper: Reaper
  readonly #jury: DigestJury
  #isOver = false
  #pendingSyncs = 0

  /** Every session that the tree knows gets a full timeout (S11). */
  constructor(
    config: ServerConfig,
    tree: DataTree,
    broadcaster: Broadcaster,
    host: ServiceHost,
    at: Moment,
  ) {
    const { sid, tickTimeMs, voters = [sid] } = config
    this.#sid = sid
    this.#broadcaster = broadcaster
    this.#host = host
    this.#jury = new DigestJury(voters)
    this.#tracker = new SessionTracker(tickTimeMs, at.elapsedMs)
    for (const [id, timeoutMs] of tree.sessions) {
      this.#tracker.track(toSessionId(id), timeoutMs, at.elapsedMs)
    }
    this.#records = new ChangeRecords((path) => viewOf(tree, path))
    this.#prep = {
      records: this.#records,
      sessions: this.#tracker,
      extendedTypesEnabled: config.extendedTypesEnabled ?? false,
      ephemeralsOf: (session) => tree.store.ephemerals.of(session),
      quotas: config.enforcesQuota === true ? tree.quotas : null,
      quotaRefused: (path) =>
        host.witness?.concerning('quota_exceeded_error_per_namespace', path, 1),
      skipsAcl: config.skipsAcl ?? false,
      entryBytesMax: entryBytesMax(config),
      isLocal: (session, owner) => host.mayWriteLocally(session, owner),
      upgradesSessions: config.localSessionsUpgradingEnabled ?? false,
    }
    const admissionHost = {
      voters,
      tree,
      broadcaster,
      propose: this.#proposeOwn.bind(this),
      refused: (incarnation: string, reason: string) => host.observerRefused(incarnation, reason),
    }
    this.#observers = new ObserverAdmission(admissionHost, this.#records)
    this.#reaper = new Reaper(config, tree, this.#records, admissionHost.propose, at)
  }

  /** An observer asks for a place; the answer is the table, when it is applied. */
  admitObserver(incarnation: string, at: Moment): void {
    this.#observers.admit(incarnation, at)
  }

  /** Late answers of the broadcaster are ignored from here on. */
  stop(): void {
    this.#isOver = true
    this.#host.witness?.measure('pending_syncs', 0)
  }

  touch(session: SessionId, timeoutMs: number, at: Moment): boolean {
    return this.#tracker.touch(session, timeoutMs, at.elapsedMs)
  }

  forward(request: Request, at: Moment): void {
    if (request.type !== OpCode.sync) {
      this.#propose(request, at)
      return
    }
    this.#whenCaughtUp(() => this.#host.syncAnswered(request))
  }

  reopen(connection: Connection, at: Moment): void {
    const { session, timeoutMs } = connection
    this.#host.finishConnect(connection, this.#revalidate(session, timeoutMs, this.#sid, at))
  }

  committed(header: TxnHeader, txn: Txn): void {
    this.#records.committed(header.zxid)
    this.#observers.committed(header.zxid)
    if (txn.kind === 'closeSession') this.#tracker.remove(toSessionId(header.clientId))
  }

  /** Expired sessions are closed by a transaction like any other (S9). */
  tick(at: Moment): void {
    this.#observers.tick()
    this.#reaper.tick(at)
    for (const session of this.#tracker.expire(at.elapsedMs)) {
      this.#host.sessionExpired(session)
      const request = createRequest({
        session,
        cxid: 0,
        type: OpCode.closeSession,
        body: EMPTY_BYTES,
        authInfo: [],
        owner: this.#sid,
        connection: null,
      })
      this.#propose(request, at)
    }
  }

  remainingMs(session: SessionId, at: Moment): number | null {
    return this.#tracker.remainingMs(session, at.elapsedMs)
  }

  /**
   * What learners cannot know by themselves: how long the sessions nearest to their end have left.
   * In the form of touched sessions, with the remaining ms in place of the timeout.
   */
  pingData(at: Moment): Uint8Array {
    const sessions = this.#tracker
      .soonest(PING_SESSIONS_MAX, at.elapsedMs)
      .map(({ id, remainingMs }) => ({ sessionId: id, timeout: Math.ceil(remainingMs) }))
    const claim = this.#host.claim()
    this.#jury.ask(claim)
    return encodePing({ sessions, claim })
  }

  /** Throws JuteError when a learner sent what is no packet. */
  onLearnerPacket(from: ServerId, packet: ReplicaPacket, at: Moment): void {
    switch (packet.type) {
      case PacketType.REQUEST:
        this.#onRequest(from, packet, at)
        break
      case PacketType.REVALIDATE:
        this.#onRevalidate(from, packet, at)
        break
      case PacketType.PING:
        this.#onPing(from, decodePing(packet.data), at)
        break
      default:
        break
    }
  }

  #onPing(from: ServerId, { sessions, claim }: PingData, at: Moment): void {
    for (const { sessionId, timeout } of sessions) {
      this.#tracker.touch(toSessionId(sessionId), timeout, at.elapsedMs)
    }
    const other = claim === null ? null : this.#jury.answer(from, claim)
    if (claim === null || other === null) return
    this.#host.diverged(claim, 'a quorum has another tree than this leader')
  }

  #onRequest(from: ServerId, packet: ReplicaPacket, at: Moment): void {
    const { sessionId, cxid, type, request: body } = decode(forwardedRequestRecord, packet.data)
    if (type === OpCode.sync) {
      const answer = answerIn(packet.conversation, PacketType.SYNC, EMPTY_BYTES)
      this.#whenCaughtUp(() => this.#broadcaster.sendToLearner(from, answer))
      return
    }
    const request = createRequest({
      session: toSessionId(sessionId),
      cxid,
      type,
      body,
      authInfo: packet.authinfo ?? [],
      owner: from,
      connection: null,
    })
    this.#propose(request, at)
  }

  /** ZooKeeper's sync (Q64). */
  #whenCaughtUp(then: () => void): void {
    const pend = (change: number): void => {
      this.#pendingSyncs += change
      this.#host.witness?.measure('pending_syncs', this.#pendingSyncs)
    }
    pend(1)
    this.#broadcaster.whenCaughtUp(() => {
      if (this.#isOver) return
      pend(-1)
      then()
    })
  }

  #onRevalidate(from: ServerId, packet: ReplicaPacket, at: Moment): void {
    this.#host.witness?.count('revalidate_count')
    const { sessionId, timeout } = decode(revalidateRequestRecord, packet.data)
    const valid = this.#revalidate(toSessionId(sessionId), timeout, from, at)
    const data = encode(revalidateResponseRecord, { sessionId, valid })
    this.#broadcaster.sendToLearner(
      from,
      answerIn(packet.conversation, PacketType.REVALIDATE, data),
    )
  }

  /** From now on that server speaks for the session; an older one gets SESSIONMOVED (S14, S15). */
  #revalidate(session: SessionId, timeoutMs: number, owner: ServerId, at: Moment): boolean {
    const isAlive = this.#tracker.touch(session, timeoutMs, at.elapsedMs)
    if (isAlive) this.#tracker.setOwner(session, owner)
    return isAlive
  }

  #propose(request: Request, at: Moment): void {
    const zxid = this.#broadcaster.nextZxid()
    request.zxid = zxid
    const { txn, entry } = prepareRequest(this.#prep, request, zxid, at.wallMs)
    if (txn.kind === 'createSession') {
      // Requests of the new session may be in the same pipeline, so it exists from here on (S6).
      this.#tracker.track(request.session, txn.timeOut, at.elapsedMs)
      this.#tracker.setOwner(request.session, request.owner)
    }
    this.#broadcaster.propose(zxid, entry, at)
  }

  /** Of no session and no client, as ZooKeeper deletes its containers. */
  #proposeOwn(type: number, prepare: (zxid: Zxid) => SimpleTxn, at: Moment): void {
    const zxid = this.#broadcaster.nextZxid()
    const header = { clientId: 0n, cxid: 0, zxid, time: at.wallMs, type }
    this.#broadcaster.propose(zxid, encodeTxn(header, prepare(zxid)), at)
  }
}

/** The body of a createSession request is that of its transaction. */
export function createSessionBody(timeOut: number): Uint8Array {
  return encode(createSessionTxnRecord, { timeOut })
}

function viewOf(tree: DataTree, path: string): NodeView | undefined {
  const node = tree.node(path)
  if (node === undefined) return undefined
  return {
    version: node.version,
    cversion: node.cversion,
    aversion: node.aversion,
    ephemeralOwner: node.ephemeralOwner,
    childCount: node.children === null ? 0 : node.children.size,
    dataLength: node.data === null ? 0 : node.data.length,
    acl: node.acl.list,
  }
}
