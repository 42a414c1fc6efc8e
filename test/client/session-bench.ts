// A ClientSession on virtual time, and a server played by hand: frames are built with the codecs.
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  requestHeaderRecord,
  watcherEventRecord,
  type ConnectRequest,
} from '../../src/core/jute/connect-records.ts'
import { EventType, eventTypeName, keeperStateName } from '../../src/core/jute/event-type.ts'
import { joinFrames, splitFrames } from '../../src/core/jute/framing.ts'
import { OpCode, opName } from '../../src/core/jute/op-code.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { decode, encode, type JuteRecord } from '../../src/core/jute/record.ts'
import { ClientSession } from '../../src/client/session.ts'
import type {
  SessionConfig,
  SessionEffect,
  SessionInput,
  SessionRequest,
  Settlement,
} from '../../src/client/session-protocol.ts'
import type { ClientHost } from '../../src/client/transport.ts'
import type { WatchKind } from '../../src/client/watch-tables.ts'
import type { Watcher } from '../../src/client/watched-event.ts'

export const TICK_MS = 250

export interface SentRequest {
  readonly xid: number
  readonly type: number
  readonly body: Uint8Array
}

export function host(id: string, isLocal = false): ClientHost {
  return { id, label: id, isLocal }
}

export function pathRequest(id: number, type: number, path: string): SessionRequest {
  return {
    id,
    type,
    body: encodeUtf8(path),
    isWrite: type === OpCode.create || type === OpCode.setData,
    register: null,
    unregister: null,
    deadlineMs: null,
    unsentDeadlineMs: null,
  }
}

export class SessionBench {
  now = 1000
  readonly session: ClientSession
  readonly log: string[] = []
  readonly settled = new Map<number, Settlement>()
  readonly connects: { attempt: number; host: string; atMs: number }[] = []
  readonly sent: SentRequest[] = []
  readonly connectRequests: ConnectRequest[] = []
  hosts: readonly ClientHost[] = [host('1', true), host('2'), host('3')]
  /** Attempt of the connection that the bench holds open. */
  attempt = 0
  #isPrimed = false
  readonly #names = new Map<Watcher, string>()

  constructor(config: Partial<SessionConfig> = {}) {
    this.session = new ClientSession(
      {
        sessionTimeoutMs: 30_000,
        hosts: () => this.hosts,
        random: () => 0.5,
        resume: null,
        canBeReadOnly: false,
        reconnectDelayMaxMs: 1000,
        roundPauseMs: 1000,
        closeWaitMs: 5000,
        firstXid: 1,
        ...config,
      },
      this.now,
    )
    this.step({ kind: 'tick' })
  }

  step(input: SessionInput): void {
    this.session.step(input, this.now)
    for (const effect of this.session.takeEffects()) this.#perform(effect)
  }

  /** Time goes on in ticks. */
  pass(ms: number): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now = Math.min(end, this.now + TICK_MS)
      this.step({ kind: 'tick' })
    }
  }

  /** The process sleeps: no input at all. */
  sleep(ms: number): void {
    this.now += ms
  }

  submit(request: SessionRequest): void {
    this.step({ kind: 'submit', request })
    this.step({ kind: 'flush' })
  }

  read(id: number, kind: WatchKind, path: string, name: string): void {
    const type = { data: OpCode.getData, exists: OpCode.exists, child: OpCode.getChildren }
    const opCode = kind in type ? type[kind as keyof typeof type] : OpCode.addWatch
    const register = { kind, path, watcher: this.watcher(name) }
    this.submit({ ...pathRequest(id, opCode, path), register })
  }

  watcher(name: string): Watcher {
    for (const [watcher, known] of this.#names) if (known === name) return watcher
    const watcher: Watcher = () => {}
    this.#names.set(watcher, name)
    return watcher
  }

  /** Opens the attempt that the session asked for last. */
  open(): void {
    this.attempt = this.connects.at(-1)?.attempt ?? 0
    this.#isPrimed = false
    this.step({ kind: 'opened', attempt: this.attempt })
  }

  accept(options: { timeOut?: number; sessionId?: bigint; readOnly?: boolean } = {}): void {
    const response = encode(connectResponseRecord, {
      protocolVersion: 0,
      timeOut: options.timeOut ?? 30_000,
      sessionId: options.sessionId ?? 0x100000000000001n,
      passwd: new Uint8Array(16).fill(7),
      readOnly: options.readOnly ?? false,
    })
    this.receive(response)
  }

  /** From nothing to a served session. */
  connect(): void {
    if (this.connects.at(-1)?.attempt === this.attempt) this.pass(3000)
    this.open()
    this.accept()
  }

  receive(...payloads: Uint8Array[]): void {
    this.step({ kind: 'message', attempt: this.attempt, bytes: joinFrames(payloads) })
  }

  lose(reason = 'gone'): void {
    this.step({ kind: 'closed', attempt: this.attempt, reason })
  }

  /** Answers the oldest unanswered request of that type, or the oldest of all. */
  answer(type: number, options: { err?: number; zxid?: bigint; body?: Uint8Array } = {}): void {
    const at = this.sent.findIndex((request) => request.type === type)
    const request = this.sent[at]
    if (request === undefined) throw new Error(`no ${opName(type)} was sent`)
    this.sent.splice(at, 1)
    this.receive(reply(request.xid, options))
  }

  notify(type: EventType, path: string, zxid = 5n): void {
    this.receive(notification(type, path, zxid))
  }

  /** What was said since the last call. */
  said(): string[] {
    return this.log.splice(0)
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'connect': {
        const { attempt } = effect
        this.connects.push({ attempt, host: effect.host.id, atMs: this.now })
        return
      }
      case 'send':
        return this.#take(effect.bytes)
      case 'settle': {
        const { err, outcomeUnknown } = effect.settlement
        this.settled.set(effect.id, effect.settlement)
        this.log.push(`settle ${effect.id} ${err}${outcomeUnknown ? ' unknown' : ''}`)
        return
      }
      case 'event': {
        const { type, state, path } = effect.event
        const names = effect.watchers.map((watcher) => this.#names.get(watcher) ?? '?').sort()
        const what = type === EventType.None ? keeperStateName(state) : eventTypeName(type)
        this.log.push([what, path ?? '', names.join('+')].filter((part) => part !== '').join(' '))
        return
      }
      case 'state':
        this.log.push(`state ${effect.state}`)
        return
      case 'disconnect':
        this.log.push('disconnect')
    }
  }

  #take(bytes: Uint8Array): void {
    for (const payload of splitFrames(bytes)) {
      if (!this.#isPrimed) {
        this.#isPrimed = true
        this.connectRequests.push(decode(connectRequestRecord, payload))
        continue
      }
      const reader = new JuteReader(payload)
      const { xid, type } = requestHeaderRecord.read(reader)
      this.sent.push({ xid, type, body: payload.subarray(payload.length - reader.remaining) })
    }
  }
}

export function reply(
  xid: number,
  options: { err?: number; zxid?: bigint; body?: Uint8Array } = {},
): Uint8Array {
  const header = { xid, zxid: options.zxid ?? 10n, err: options.err ?? 0 }
  const head = encode(replyHeaderRecord, header)
  const body = options.body ?? new Uint8Array(0)
  const payload = new Uint8Array(head.length + body.length)
  payload.set(head)
  payload.set(body, head.length)
  return payload
}

export function notification(type: EventType, path: string, zxid: bigint): Uint8Array {
  const body = encode(watcherEventRecord, { type, state: 3, path })
  return reply(-1, { zxid, body })
}

export function bodyOf<T>(record: JuteRecord<T>, request: SentRequest | undefined): T {
  if (request === undefined) throw new Error('nothing was sent')
  return decode(record, request.body)
}
