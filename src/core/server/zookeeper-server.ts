/**
 * The state machine behind Zab: the tree, its clients, and the request stages in the order of Q59.
 *
 * Leading: prepare → propose … commit → final. Following: forward to the leader … commit → final.
 * Reads go straight to final unless their session waits for a write (commit order). What belongs to
 * one time of service (waiting requests, change records, deadlines, touched sessions) is made when
 * service starts and dropped when it stops (Q54).
 */
import { assert } from '../base/assert.ts'
import { EMPTY_BYTES } from '../base/bytes.ts'
import { Prng } from '../base/prng.ts'
import {
  formatSessionId,
  toSessionId,
  type SessionId,
  type ServerId,
  type Zxid,
} from '../base/zxid.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { OpCode } from '../jute/op-code.ts'
import { Perms } from '../jute/perms.ts'
import { permits } from '../tree/acl.ts'
import { DataTree, type DataTreeOptions } from '../tree/data-tree.ts'
import { restoreTree, TreeSnapshot } from '../tree/snapshot.ts'
import type { TxnResult } from '../tree/txn-result.ts'
import { WatchManager } from '../tree/watch-manager.ts'
import type { LogEntry, Moment } from '../zab/effect.ts'
import type {
  Broadcaster,
  Replica,
  ReplicaPacket,
  Service,
  SnapshotSource,
} from '../zab/replica.ts'
import { AppliedObservers } from './applied-observers.ts'
import { ClientAuth } from './client-auth.ts'
import { ClientConnections, type SessionHost } from './client-connections.ts'
import { CommitOrder } from './commit-order.ts'
import type { Connection } from './connection.ts'
import { ConnectionThrottle } from './connection-throttle.ts'
import type { ClientCloseEffect, ClientSendEffect, ConnectionId, ServerEffects } from './effect.ts'
import type { DigestClaim } from './digest-claim.ts'
import type { DivergenceAlarm } from './divergence.ts'
import { eventsFirst, type EventDelivery, type MakeEventDelivery } from './event-delivery.ts'
import { judgedEarly } from './eager-acl.ts'
import { FinalStage } from './final-request.ts'
import { FollowerService } from './follower-service.ts'
import { createSessionBody, LeaderService } from './leader-service.ts'
import { LocalSessions } from './local-sessions.ts'
import { LocalSnapshots } from './local-snapshots.ts'
import { decodeEntry } from './logged-entry.ts'
import type { ObserverEntry } from './observer-table.ts'
import type { ReadContext } from './read-request.ts'
import {
  CLOSE_LOCAL_SESSION,
  createRequest,
  isClientOperation,
  waitsForLeader,
  type Request,
} from './request.ts'
import type { RoleService, ServiceHost } from './role-service.ts'
import { limitsOf, type ServerConfig, type ServerLimits } from './server-config.ts'
import { ReadOnlyMode } from './read-only-mode.ts'
import { SessionIds } from './session-ids.ts'
import { TreeGuard, type GuardHost } from './tree-guard.ts'
import { treeOptions } from './tree-options.ts'
import type { ServerWitness } from './witness.ts'

export class ZooKeeperServer implements Replica, SessionHost, ServiceHost {
  readonly connections: ClientConnections
  witness: ServerWitness | null = null
  readonly #config: ServerConfig
  readonly #limits: ServerLimits
  readonly #effects: ServerEffects
  readonly #watches: WatchManager
  readonly #treeOptions: DataTreeOptions
  readonly #ids: SessionIds
  readonly #final = new FinalStage()
  readonly #delivery: EventDelivery
  readonly #snapshots: LocalSnapshots
  readonly #observers = new AppliedObservers()
  readonly #comparesDigests: boolean
  readonly #guard: TreeGuard
  readonly #local: LocalSessions
  readonly #readOnly: ReadOnlyMode
  #tree: DataTree
  #broadcaster: Broadcaster | null = null
  #leader: LeaderService | null = null
  #follower: FollowerService | null = null
  #order: CommitOrder
  /** Of the input that is being handled. */
  #at: Moment

  constructor(
    config: ServerConfig,
    effects: ServerEffects,
    at: Moment,
    makeDelivery: MakeEventDelivery = eventsFirst,
    comparesDigests = true,
  ) {
    this.#config = config
    this.#comparesDigests = comparesDigests
    this.#limits = limitsOf(config)
    this.#effects = effects
    this.#at = at
    this.#watches = new WatchManager((watcher, acl) => {
      if (config.skipsAcl === true) return true
      const ids = this.connections.find(watcher)?.authInfo ?? []
      return permits(acl, Perms.READ, ids)
    })
    this.#treeOptions = treeOptions(config, this.#watches, effects, this)
    this.#tree = new DataTree(this.#treeOptions)
    this.#guard = new TreeGuard(this.#guardHost())
    this.#local = new LocalSessions(config)
    this.#readOnly = new ReadOnlyMode(config)
    const chance = new Prng(config.seed).fork('session ids')
    const { sid, sessionBase, sessionKey } = config
    this.#ids = SessionIds.of(sid, sessionBase, at.wallMs, chance)
    this.#delivery = makeDelivery((connection, payload) => {
      this.connections.find(connection)?.send(payload)
    })
    this.#snapshots = new LocalSnapshots(
      effects,
      this.#limits,
      new Prng(config.seed).fork('snapshot'),
    )
    this.#order = this.#newOrder()
    const auth = new ClientAuth(config)
    const throttle = new ConnectionThrottle(this.#limits, new Prng(config.seed).fork('connect'))
    const rules = { sessionKey, auth, throttle, opensLocally: config.localSessionsEnabled === true }
    this.connections = new ClientConnections(this, this.#limits, rules, this.#ids, this.#final)
  }

  /** Zab needs the replica first, so the way back is made afterwards. */
  attach(broadcaster: Broadcaster): void {
    this.#broadcaster = broadcaster
  }

  get tree(): DataTree {
    return this.#tree
  }

  get isServing(): boolean {
    return this.#service !== null
  }

  get outstanding(): number {
    return this.#order.size
  }

  get outstandingBytes(): number {
    return this.#order.bytes
  }

  get largeBytes(): number {
    return this.#order.bytesOfLarge
  }

  get takesClients(): boolean {
    const isShy = this.#leader !== null && this.#config.leaderServes === false
    return (this.isServing && !isShy) || this.isReadOnly
  }

  /** Out of service, and yet reads are answered (S37). */
  get isReadOnly(): boolean {
    return this.#readOnly.isOn
  }

  /** Sessions that only this server knows (S22). */
  get localSessions(): number {
    return this.#local.size
  }

  /**
   * The observers that have a place, as this server last knew it for certain: what is applied while
   * nobody is served may be cut again, and the place given to another one.
   */
  get observers(): readonly ObserverEntry[] {
    return this.#observers.entries
  }

  // --- inputs of this member's driver ----------------------------------------------------------

  clientOpen(id: ConnectionId, from: string, at: Moment, ids?: Connection['authInfo']): void {
    this.#at = at
    this.connections.open(id, from, at, ids)
  }

  clientData(id: ConnectionId, bytes: Uint8Array, at: Moment): void {
    this.#at = at
    this.connections.data(id, bytes, at)
  }

  clientClosed(id: ConnectionId, at: Moment): void {
    this.#at = at
    this.connections.clientClosed(id)
  }

  /** Only a serving leader can do that; another one hears the same question. */
  admitObserver(incarnation: string, at: Moment): void {
    this.#at = at
    this.#leader?.admitObserver(incarnation, at)
  }

  tick(at: Moment): void {
    this.#at = at
    this.#service?.tick(at)
    for (const session of this.#local.expire(at.elapsedMs)) {
      this.connections.closeSession(session, 'session_closed')
    }
    this.connections.sweep(at)
    if (this.#readOnly.begins(at.elapsedMs)) this.#local.begin(true, at.elapsedMs)
    if (this.isServing) this.#snapshots.tick(() => this.beginSnapshot(), at)
    if (this.isServing) this.#guard.look(at)
  }

  /** Once after every input: held-back requests go on, and what was written leaves. */
  endStep(): void {
    this.connections.resume()
    this.connections.flush()
  }

  remainingMs(session: SessionId, at: Moment): number | null {
    const localMs = this.#local.remainingMs(session, at.elapsedMs)
    return localMs ?? this.#service?.remainingMs(session, at) ?? null
  }

  // --- Replica: what Zab asks -------------------------------------------------------------------

  lastProcessed(): Zxid {
    return this.#tree.lastProcessed
  }

  deliver(entry: LogEntry, at: Moment): void {
    this.#at = at
    const { header, txn, digest } = decodeEntry(entry)
    const own = this.#order.take(header)
    const result = this.#tree.applyTxn(header, txn, this.isServing ? this.#delivery : null)
    if (digest !== undefined) this.#tree.checkDigest(digest)
    this.#snapshots.count(entry.entry.length)
    this.#service?.committed(header, txn)
    if (own !== null) this.#answer(own, result)
    const session = toSessionId(header.clientId)
    if (txn.kind === 'createSession') this.#sessionOpened(session)
    else if (txn.kind === 'closeSession') this.#sessionClosed(session)
    this.#delivery.settled()
    if (this.isServing) this.#refreshObservers()
    this.#order.release(session)
  }

  restore(
    snapshot: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] },
    log: readonly LogEntry[],
  ): void {
    this.onLooking(false, this.#at)
    this.#snapshots.restored(log)
    this.#tree = restoreTree(snapshot.chunks, { ...this.#treeOptions, zxid: snapshot.zxid })
    this.#guard.restored()
    for (const entry of log) {
      const { header, txn } = decodeEntry(entry)
      this.#tree.applyTxn(header, txn, null)
      if (txn.kind === 'createSession') this.#ids.observe(header.clientId)
    }
    for (const id of this.#tree.sessions.keys()) this.#ids.observe(id)
  }

  /** The digest that a snapshot carries is that of what it should hold (P21). */
  get isSound(): boolean {
    return !this.#comparesDigests || this.#tree.digestMismatches === 0
  }

  beginSnapshot(): SnapshotSource {
    return new TreeSnapshot(this.#tree)
  }

  onService(service: Service, at: Moment): void {
    this.#at = at
    this.#endService()
    const broadcaster = this.#broadcaster
    assert(broadcaster !== null, 'service without a broadcaster')
    if (service.kind === 'leading') {
      this.#leader = new LeaderService(this.#config, this.#tree, broadcaster, this, at)
    } else if (service.kind === 'following') {
      this.#follower = new FollowerService(broadcaster, this)
    }
    if (!this.isServing) return
    this.#tree.plantConfiguration(this.#config.configurationText, at.wallMs)
    this.#local.begin(false, at.elapsedMs)
    this.#guard.servesAgain(at)
    this.#refreshObservers()
  }

  onLooking(isLooking: boolean, at: Moment): void {
    this.#at = at
    if (this.#readOnly.looking(isLooking, at.elapsedMs)) this.#endService()
  }

  onLearnerPacket(from: ServerId, packet: ReplicaPacket, at: Moment): void {
    this.#at = at
    this.#service?.onLearnerPacket(from, packet, at)
  }

  onLeaderPacket(packet: ReplicaPacket, at: Moment): void {
    this.#at = at
    this.#follower?.onLeaderPacket(packet, at)
  }

  takeTouchedSessions(): Uint8Array {
    return this.#follower?.takeTouched() ?? EMPTY_BYTES
  }

  pingData(at: Moment): Uint8Array {
    return this.#leader?.pingData(at) ?? EMPTY_BYTES
  }

  // --- SessionHost: what the connections ask ----------------------------------------------------

  touch(session: SessionId, timeoutMs: number): boolean {
    if (this.#local.has(session)) {
      return this.#local.touch(session, timeoutMs, this.#at.elapsedMs)
    }
    return this.#service?.touch(session, timeoutMs, this.#at) ?? false
  }

  createSession(connection: Connection): void {
    const { session, timeoutMs } = connection
    if (this.#local.open(session, timeoutMs, this.#at.elapsedMs)) {
      this.connections.finishConnect(connection, true)
    } else this.#submit(connection, 0, OpCode.createSession, createSessionBody(timeoutMs))
  }

  reopenSession(connection: Connection): void {
    const { session, timeoutMs } = connection
    const isLocal = this.#local.touch(session, timeoutMs, this.#at.elapsedMs)
    if (isLocal) this.connections.finishConnect(connection, true)
    else if (!this.isReadOnly) this.#service?.reopen(connection, this.#at)
    // Only the leader could say that it still lives; its client may find one elsewhere (S40).
    else if (this.#tree.sessions.has(session)) connection.close('renew_global_session_in_ro_mode')
    else this.connections.finishConnect(connection, false)
  }

  submit(connection: Connection, xid: number, type: number, body: Uint8Array): void {
    // What no client may ask for is refused in its turn, and nowhere taken for the server's own.
    this.#submit(connection, xid, isClientOperation(type) ? type : OpCode.notification, body)
  }

  refuse(connection: Connection, xid: number, err: ErrorCode): void {
    this.#submit(connection, xid, OpCode.error, EMPTY_BYTES, err)
  }

  forgetWatcher(watcher: ConnectionId): void {
    this.#watches.removeWatcher(watcher)
  }

  emit(effect: ClientSendEffect | ClientCloseEffect): void {
    this.#effects.push(effect)
  }

  // --- ServiceHost: what the role asks ----------------------------------------------------------

  finishConnect(connection: Connection, isValid: boolean): void {
    this.connections.finishConnect(connection, isValid)
  }

  syncAnswered(request: Request): void {
    this.#order.syncAnswered(request)
  }

  mayWriteLocally(session: SessionId, owner: ServerId): boolean {
    return this.#local.mayWrite(session, owner)
  }

  sessionExpired(session: SessionId): void {
    this.#trace('session-expired', session)
  }

  observerRefused(incarnation: string, reason: string): void {
    this.#effects.push({ kind: 'trace', event: { type: 'observer-refused', incarnation, reason } })
  }

  claim(): DigestClaim | null {
    const { digest, lastProcessed } = this.#tree
    return digest === null ? null : { zxid: lastProcessed, digest }
  }

  diverged(other: DigestClaim, what: string): void {
    if (this.#comparesDigests) this.#guard.diverged(other.digest, what, this.#at)
  }

  /** What went wrong with this member's tree, and whether that is over; null: nothing so far. */
  get alarm(): DivergenceAlarm | null {
    return this.#guard.alarm
  }

  get #service(): RoleService | null {
    return this.#leader ?? this.#follower
  }

  /** In commit order before it is sent: a commit may come back at once. */
  #submit(
    connection: Connection,
    cxid: number,
    type: number,
    body: Uint8Array,
    refusal: ErrorCode = ErrorCode.OK,
  ): void {
    if (!this.isServing && !this.isReadOnly) return
    const { session, authInfo, timeoutMs } = connection
    const owner = this.#config.sid
    const fields = { session, cxid, type, body, authInfo, owner, connection }
    const isJudged = !this.isReadOnly || type === OpCode.closeSession
    const verdict = isJudged ? this.#local.judge(session, type, body) : 'pass'
    if (verdict === 'upgrade') {
      const createSession = { type: OpCode.createSession, body: createSessionBody(timeoutMs) }
      this.#pass(createRequest({ ...fields, ...createSession, cxid: 0, connection: null }))
    }
    if (verdict === 'close') this.#pass(createRequest({ ...fields, type: CLOSE_LOCAL_SESSION }))
    else {
      const request = createRequest(fields, refusal || this.#refusal(type))
      this.#pass(judgedEarly(this.#config, this.#tree, request))
    }
  }

  #refusal(type: number): ErrorCode {
    return this.isReadOnly && waitsForLeader(type) ? ErrorCode.NOTREADONLY : ErrorCode.OK
  }

  #pass(request: Request): void {
    this.#order.submit(request)
    if (waitsForLeader(request.type)) this.#service?.forward(request, this.#at)
  }

  #answer(request: Request, result: TxnResult): void {
    if (request.type !== OpCode.createSession) {
      this.#final.answerWrite(this.#readContext, request, result)
    } else if (request.connection !== null) {
      this.connections.finishConnect(request.connection, result.err === ErrorCode.OK)
    }
  }

  #sessionOpened(session: SessionId): void {
    this.#local.remove(session)
    this.#ids.observe(session)
    if (this.isServing) this.#trace('session-opened', session)
  }

  /** Its own request closed the connection already; after expiry the server does it (S8, S13). */
  #sessionClosed(session: SessionId): void {
    this.#local.remove(session)
    this.connections.closeSession(session, 'session_closed')
    if (this.isServing) this.#trace('session-closed', session)
  }

  #refreshObservers(): void {
    if (!this.#observers.refresh(this.#tree)) return
    this.#effects.push({ kind: 'trace', event: this.#observers.event })
  }

  #guardHost(): GuardHost {
    const tree = (): DataTree => this.#tree
    return {
      get tree() {
        return tree()
      },
      lastProcessed: () => this.lastProcessed(),
      trace: (event) => this.#effects.push({ kind: 'trace', event }),
      distrust: (reason, cure) => this.#broadcaster?.distrust(reason, cure),
    }
  }

  #endService(): void {
    this.#leader?.stop()
    this.#leader = null
    this.#follower = null
    this.#order = this.#newOrder()
    this.#local.end()
    this.connections.closeAll('server_shutdown')
    this.#snapshots.abandon()
  }

  #newOrder(): CommitOrder {
    return new CommitOrder((request) => {
      if (request.type === CLOSE_LOCAL_SESSION) this.#local.remove(request.session)
      this.#final.answerRead(this.#readContext, request)
    }, this.#limits.largeRequestBytes)
  }

  get #readContext(): ReadContext {
    return {
      tree: this.#tree,
      sink: this.#delivery,
      skipsAcl: this.#config.skipsAcl ?? false,
      witness: this.witness,
    }
  }

  #trace(type: 'session-opened' | 'session-closed' | 'session-expired', id: SessionId): void {
    this.#effects.push({ kind: 'trace', event: { type, session: formatSessionId(id) } })
  }
}
