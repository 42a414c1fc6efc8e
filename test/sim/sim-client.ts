/**
 * A client of the simulated ensemble: real frames, one session after another, moving between
 * servers. Its own state machine on purpose: the product's client is not the judge of the product.
 */
import {
  connectRequestRecord,
  connectResponseRecord,
  watcherEventRecord,
} from '../../src/core/jute/connect-records.ts'
import { frame, splitFrames } from '../../src/core/jute/framing.ts'
import { OpCode, SpecialXid } from '../../src/core/jute/op-code.ts'
import { requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { encode } from '../../src/core/jute/record.ts'
import { setWatchesRecord } from '../../src/core/jute/session-records.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import { formatSessionId, formatZxid, toSessionId } from '../../src/core/base/zxid.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import { ClientLink } from './client-link.ts'
import { ClientWatches } from './client-watches.ts'
import { encodeCall, readHeader, typeOf, type SimCall } from './client-wire.ts'
import { within } from './draw.ts'
import { describeCall, isWrite, type Op } from '../../src/history/operation.ts'
import { readOutcome } from '../../src/history/wire.ts'
import type { ClientRecorder } from '../../src/history/client-recorder.ts'
import type { ClientServer } from './client-server.ts'
import type { SimContext } from './sim-context.ts'
import { Readings, Workload } from './workload.ts'

/** ms between two looks at the client's own deadlines. */
const CHECK_MS = 250
/** ms between losing a server and trying the next one. */
const RETRY_MS: readonly [number, number] = [5, 300]
const PASSWORD_BYTES = 16
/** ms without a server after which the page of one that wants any answer is loaded again. */
const IMPATIENCE_MS = 1500

type SimOp = Op & { readonly call: SimCall }

export class SimClient {
  readonly number: number
  readonly prng: Prng
  readonly watches: ClientWatches = new ClientWatches()
  readonly #world: SimContext
  readonly #workload: Workload | Readings
  readonly #requestedTimeoutMs: number
  /**
   * Sends setWatches right behind the ConnectRequest, as Java does (W57), or waits for the answer.
   */
  readonly #isEager: boolean
  /** A server without a leader will do (S38). */
  readonly #takesReadOnly: boolean
  /** This connection is to such a one, and its session is known to nobody else. */
  #isReadOnly = false
  #lostMs = 0
  readonly #recorder: ClientRecorder | null
  #link: ClientLink | null = null
  #state: 'down' | 'connecting' | 'connected' = 'down'
  #session = 0n
  #password: Uint8Array = new Uint8Array(PASSWORD_BYTES)
  #timeoutMs: number
  #lastZxid = 0n
  #xid = 1
  #pending: SimOp[] = []
  #heardMs = 0
  #sentMs = 0
  #nextHost: number
  #sleepsUntilMs = 0
  /** No new calls, but the session is kept. */
  isQuiet = false

  constructor(world: SimContext, number: number, isReader: boolean) {
    this.#world = world
    this.number = number
    this.prng = world.prng.fork(`client ${number}`)
    this.#recorder = world.makeRecorder(number)
    this.#requestedTimeoutMs = Math.round(within(this.prng, world.draw.sessionTimeoutMs))
    this.#timeoutMs = this.#requestedTimeoutMs
    this.#isEager = this.prng.bool()
    this.#nextHost = this.prng.int(world.hosts.length)
    this.#takesReadOnly = world.draw.readOnlyMode && this.prng.fork('read-only').bool()
    const { longDataChance } = world.draw
    this.#workload = isReader
      ? new Readings(this.prng.fork('workload'))
      : new Workload(this.prng.fork('workload'), number, longDataChance)
    world.timeline.after(this.prng.next() * 500, () => this.#connect())
    this.#watchDeadlines()
    this.#scheduleCall()
  }

  get name(): string {
    return `client ${this.number}`
  }

  get session(): bigint {
    return this.#session
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  get server(): ClientServer | null {
    return this.#link?.host ?? null
  }

  /** The page goes without a word; a new one comes with a new session. */
  abandon(): void {
    this.#drop('page reloaded', this.prng.bool())
    this.#forgetSession()
  }

  /** The connection is cut: one side, both or none are told. */
  cut(): void {
    if (this.prng.bool(0.4)) this.#link?.goSilent()
    else this.#drop('cut', this.prng.bool())
  }

  /** To another server at once; the one before is not told. */
  move(): void {
    if (this.#state !== 'connected') return
    this.#link?.goSilent()
    this.#drop('moves', false)
    this.#connect()
  }

  /** The page is frozen: it says nothing for so long, and tries again then. */
  sleep(sleptMs: number): void {
    this.#sleepsUntilMs = this.#world.timeline.nowMs + sleptMs
    this.#link?.goSilent()
    this.#drop('asleep', false)
    this.#world.timeline.after(sleptMs + 1, () => this.#connect())
  }

  wake(): void {
    this.#sleepsUntilMs = 0
    this.#connect()
  }

  // --- connection -------------------------------------------------------------------------------

  #connect(): void {
    const { hosts, timeline } = this.#world
    if (this.#state !== 'down' || timeline.nowMs < this.#sleepsUntilMs) return
    const host = hosts[this.#nextHost++ % hosts.length] as ClientServer
    this.#state = 'connecting'
    this.#heardMs = timeline.nowMs
    this.#link = new ClientLink(
      this.#world,
      host,
      {
        received: (link, bytes) => {
          if (link === this.#link) this.#received(host, bytes)
        },
        lost: (link, reason) => {
          if (link === this.#link) this.#drop(reason, false)
        },
      },
      this.prng,
    )
    this.#recorder?.opened(host.sid)
    const request = {
      protocolVersion: 0,
      lastZxidSeen: this.#lastZxid,
      timeOut: this.#requestedTimeoutMs,
      sessionId: this.#session,
      passwd: this.#password,
      readOnly: this.#takesReadOnly,
    }
    this.#send(frame(encode(connectRequestRecord, request)))
    if (this.#isEager && this.#session !== 0n) this.#sendWatches()
  }

  #drop(reason: string, isNoticed: boolean): void {
    if (this.#state === 'down') return
    this.#world.say(this.name, () => `disconnected: ${reason}`)
    this.#link?.close(isNoticed)
    this.#recorder?.closed(reason, this.#world.timeline.nowMs)
    this.#link = null
    if (this.#state === 'connected') this.#lostMs = this.#world.timeline.nowMs
    this.#state = 'down'
    if (this.#isReadOnly) this.#forgetReadOnly()
    const pending = this.#pending
    this.#pending = []
    for (const op of pending) this.#world.probe.emit('unknown', { op })
    this.#world.timeline.after(within(this.prng, RETRY_MS), () => this.#connect())
  }

  #forgetSession(): void {
    this.#forgetReadOnly()
    this.#lastZxid = 0n
    this.watches.clear()
  }

  /** As Java does: the next server gives a new one, but must have seen as much (W54). */
  #forgetReadOnly(): void {
    this.#isReadOnly = false
    this.#session = 0n
    this.#password = new Uint8Array(PASSWORD_BYTES)
    this.#xid = 1
    this.#workload.newSession()
  }

  /** S26, S27: pings, and the server that fell silent. */
  #watchDeadlines(): void {
    const { timeline } = this.#world
    timeline.after(CHECK_MS, () => {
      const { nowMs } = timeline
      const limitMs = this.#state === 'connected' ? (2 / 3) * this.#timeoutMs : this.#timeoutMs / 3
      if (this.#state !== 'down' && nowMs - this.#heardMs > limitMs) this.#drop('silence', false)
      if (this.#state === 'connected' && nowMs - this.#sentMs >= this.#timeoutMs / 3 - CHECK_MS) {
        this.#send(frame(encode(requestHeaderRecord, { xid: SpecialXid.ping, type: OpCode.ping })))
      }
      const isImpatient = this.#takesReadOnly && this.#session !== 0n && this.#state !== 'connected'
      if (isImpatient && nowMs - this.#lostMs > IMPATIENCE_MS) this.abandon()
      this.#watchDeadlines()
    })
  }

  #send(bytes: Uint8Array): void {
    this.#sentMs = this.#world.timeline.nowMs
    this.#recorder?.sent(bytes, this.#sentMs)
    this.#link?.send(bytes)
  }

  #sendWatches(): void {
    const { data, exist, child, isEmpty } = this.watches
    if (isEmpty) {
      this.#world.probe.emit('watches-set', { client: this.number, zxid: 0n })
      return
    }
    const w = new JuteWriter()
    requestHeaderRecord.write(w, { xid: SpecialXid.setWatches, type: OpCode.setWatches })
    setWatchesRecord.write(w, {
      relativeZxid: this.#lastZxid,
      dataWatches: [...data],
      existWatches: [...exist],
      childWatches: [...child],
    })
    this.#send(frame(w.finish()))
  }

  // --- what comes -------------------------------------------------------------------------------

  #received(host: ClientServer, bytes: Uint8Array): void {
    this.#heardMs = this.#world.timeline.nowMs
    this.#recorder?.received(bytes, this.#heardMs)
    for (const payload of splitFrames(bytes)) {
      if (this.#state === 'connecting') this.#onConnect(host, payload)
      else if (this.#state === 'connected') this.#onReply(host, payload)
    }
  }

  #onConnect(host: ClientServer, payload: Uint8Array): void {
    const { probe } = this.#world
    const client = this.number
    const answer = connectResponseRecord.read(new JuteReader(payload))
    if (answer.timeOut <= 0) {
      const session = toSessionId(this.#session)
      this.#world.say(this.name, () => `session ${formatSessionId(session)} is expired`)
      probe.emit('session-expired', { client, session })
      this.#forgetSession()
      this.#drop('session expired', true)
      return
    }
    const isNew = this.#session === 0n
    this.#session = answer.sessionId
    this.#password = Uint8Array.from(answer.passwd ?? [])
    this.#timeoutMs = answer.timeOut
    this.#state = 'connected'
    this.#isReadOnly = answer.readOnly === true
    if (this.#isReadOnly && !this.#takesReadOnly) {
      this.#world.fail('WithoutLeader', `${host.name} serves ${this.name}, which asked for more`)
    }
    const session = toSessionId(answer.sessionId)
    const how = this.#isReadOnly ? ' read-only' : ''
    this.#world.say(this.name, () => `${formatSessionId(session)} on ${host.name}${how}`)
    if (isNew) probe.emit('session-opened', { client, session })
    probe.emit('connected', { client, session, server: host.sid })
    if (isNew) probe.emit('watches-set', { client, zxid: 0n })
    else if (!this.#isEager) this.#sendWatches()
    else if (this.watches.isEmpty) probe.emit('watches-set', { client, zxid: 0n })
  }

  #onReply(host: ClientServer, payload: Uint8Array): void {
    const r = new JuteReader(payload)
    const header = readHeader(r)
    const { probe } = this.#world
    const client = this.number
    if (header.xid === SpecialXid.notification) {
      const { type, path } = watcherEventRecord.read(r)
      const { zxid } = header
      this.#world.say(this.name, () => `event ${type} ${path} ${formatZxid(zxid)}`)
      this.watches.onEvent(type, path)
      const session = toSessionId(this.#session)
      probe.emit('watch-event', { client, session, zxid, type, path })
      return
    }
    if (header.xid === SpecialXid.setWatches) {
      probe.emit('watches-set', { client, zxid: header.zxid })
    } else if (header.xid !== SpecialXid.ping) {
      this.#onOutcome(host, header, r)
    }
    if (header.zxid > 0n) this.#lastZxid = header.zxid
  }

  #onOutcome(host: ClientServer, header: ReturnType<typeof readHeader>, r: JuteReader): void {
    const { timeline, probe } = this.#world
    const op = this.#pending.shift()
    if (op === undefined || op.xid !== header.xid) {
      this.#world.fail('ReplyOrder', `reply ${header.xid} where ${op?.xid ?? 'none'} was due`)
      return
    }
    const isReadOnly = this.#isReadOnly
    const read = readOutcome(typeOf(op.call), header, r, timeline.nowMs, host.sid)
    const outcome = isReadOnly ? ({ ...read, isReadOnly } as const) : read
    this.#world.say(
      this.name,
      () => `${op.xid} ${describeCall(op.call)} = ${header.err} at ${formatZxid(header.zxid)}`,
    )
    if (!isReadOnly) {
      this.watches.onReply(op.call, header.err)
      this.#workload.learn(op.call, outcome)
      if (isWrite(op.call) && header.err === 0) this.#world.acknowledged(header.zxid)
    }
    probe.emit('completed', { op, outcome })
    if (op.call.kind === 'close' && header.err === 0) {
      this.#forgetSession()
      this.#drop('closed', true)
    }
  }

  // --- what goes --------------------------------------------------------------------------------

  #scheduleCall(): void {
    const { thinkMs, pipeline } = this.#world.draw
    this.#world.timeline.after(thinkMs * (0.2 + 1.6 * this.prng.next()), () => {
      const isFree = this.#pending.length < pipeline
      if (!this.isQuiet && this.#state === 'connected' && isFree) {
        const burst = this.prng.bool(0.1) ? pipeline - this.#pending.length : 1
        for (let i = 0; i < burst; i++) this.#call(this.#workload.next())
      }
      this.#scheduleCall()
    })
  }

  #call(call: SimCall): void {
    if (this.#pending.some((op) => op.call.kind === 'close')) return
    const op: SimOp = {
      client: this.number,
      session: this.#session,
      xid: this.#xid++,
      call,
      invokedAtMs: this.#world.timeline.nowMs,
      ackedFloor: this.#world.newestAcked,
    }
    this.#pending.push(op)
    this.#world.probe.emit('invoked', { op })
    this.#send(encodeCall(op.xid, call))
  }
}
