/** The readable transcript of a recording: what a member heard, said, wrote and became. */
import { formatSessionId } from '../core/base/zxid.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  watcherEventRecord,
} from '../core/jute/connect-records.ts'
import { errorCodeName } from '../core/jute/error-code.ts'
import { eventTypeName } from '../core/jute/event-type.ts'
import { splitFrames } from '../core/jute/framing.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { OpCode, opName, SpecialXid } from '../core/jute/op-code.ts'
import { JuteReader } from '../core/jute/reader.ts'
import { decode } from '../core/jute/record.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../core/server/effect.ts'
import { isPersistEffect, type Moment } from '../core/zab/effect.ts'
import { decodeFrame } from '../core/zab/frame.ts'
import { packetWords, shortZxid, traceWords, writeWords } from './member-words.ts'
import type { ReplayedStep } from './replay-flight.ts'

const TRAILING = { allowTrailing: true } as const
/** Requests whose body begins with a path: what a reader wants to know of them. */
const WITH_PATH: ReadonlySet<number> = new Set<number>([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.exists,
  OpCode.getData,
  OpCode.setData,
  OpCode.getACL,
  OpCode.setACL,
  OpCode.getChildren,
  OpCode.getChildren2,
  OpCode.sync,
  OpCode.addWatch,
  OpCode.getAllChildrenNumber,
])

export class FlightTranscript {
  readonly #sid: number
  readonly #start: Moment
  /** Connections that sent nothing, or got no answer, so far. */
  readonly #unconnected = new Set<ConnectionId>()
  readonly #unanswered = new Set<ConnectionId>()

  constructor(sid: number, start: Moment) {
    this.#sid = sid
    this.#start = start
  }

  /** No lines for a step in which nothing happened that a person would look for. */
  lines({ number, at, input, effects }: ReplayedStep): string[] {
    const said = [...(input === null ? [] : this.#heard(input)), ...this.#asked(effects)]
    const ms = Math.round(at.elapsedMs - this.#start.elapsedMs)
    const step = number < 0 ? 'start' : `#${number}`
    return said.map((what) => `${String(ms).padStart(8)}  ${step.padEnd(7)} ${what}`)
  }

  #heard(input: MemberInput): string[] {
    switch (input.kind) {
      case 'tick':
      case 'link-writable':
      case 'persisted':
        return []
      case 'link-up':
        return [`link to ${input.peer} opens`]
      case 'link-down':
        return [`link to ${input.peer} closes: ${input.reason}`]
      case 'suspect':
        return [`hears that ${input.peer} may be gone`]
      case 'frame':
        return this.#frame(input.peer, input.bytes)
      case 'truncated': {
        const { snapshot, log } = input.recovered
        const from = snapshot === null ? 'nothing' : `snapshot ${shortZxid(snapshot.zxid)}`
        return [`reads its storage again: ${from} and ${log.length} entries`]
      }
      case 'log-read':
        return [`reads its log back: ${input.range?.entries.length ?? 'no'} entries`]
      case 'storage-failed':
        return [`loses its storage: ${input.reason}`]
      case 'replace-state':
        return [`is given a backup of ${input.chunks.length} chunks`]
      case 'admit-observer':
        return [`hears that ${input.incarnation} wants to observe`]
      case 'client-open':
        this.#unconnected.add(input.connection)
        this.#unanswered.add(input.connection)
        return [`client ${input.connection} opens`]
      case 'client-data':
        return this.#requests(input.connection, input.bytes)
      case 'client-closed':
        return [`client ${input.connection} closes`]
    }
  }

  #frame(peer: number, bytes: Uint8Array): string[] {
    const words = guarded(() => {
      const { lane, packets } = decodeFrame(bytes)
      return packets.flatMap((packet) => packetWords(lane, packet))
    })
    return words.length === 0 ? [] : [`${peer} → ${this.#sid}  ${words.join(' · ')}`]
  }

  #requests(connection: ConnectionId, bytes: Uint8Array): string[] {
    const isFirst = this.#unconnected.delete(connection)
    const words = guarded(() =>
      splitFrames(bytes).flatMap((frame, i) => {
        return isFirst && i === 0 ? [connectWords(frame)] : requestWords(frame)
      }),
    )
    return words.length === 0 ? [] : [`client ${connection}: ${words.join(' · ')}`]
  }

  #asked(effects: readonly MemberEffect[]): string[] {
    const lines: string[] = []
    const writes: string[] = []
    const sends = new Map<number, string[]>()
    for (const effect of effects) {
      if (isPersistEffect(effect)) writes.push(writeWords(effect))
      else if (effect.kind === 'send') {
        const words = guarded(() => packetWords(effect.lane, effect.packet))
        if (words.length > 0) sends.set(effect.peer, [...(sends.get(effect.peer) ?? []), ...words])
      } else lines.push(...this.#other(effect))
    }
    if (writes.length > 0) lines.push(`writes ${writes.join(' · ')}`)
    for (const [peer, words] of sends) lines.push(`${this.#sid} → ${peer}  ${words.join(' · ')}`)
    return lines
  }

  #other(effect: MemberEffect): string[] {
    switch (effect.kind) {
      case 'client-send': {
        const isFirst = this.#unanswered.delete(effect.connection)
        const words = guarded(() =>
          splitFrames(effect.bytes).flatMap((frame, i) => {
            return isFirst && i === 0 ? [connectedWords(frame)] : replyWords(frame)
          }),
        )
        return words.length === 0
          ? []
          : [`answers client ${effect.connection}: ${words.join(' · ')}`]
      }
      case 'client-close':
        return [`closes client ${effect.connection}: ${effect.reason}`]
      case 'close-link':
        return [`cuts the link to ${effect.peer}: ${effect.reason}`]
      case 'trace': {
        const words = traceWords(effect.event)
        return words === null ? [] : [words]
      }
      case 'read-log':
        return [`wants its log after ${shortZxid(effect.after)} up to ${shortZxid(effect.upTo)}`]
      case 'halt':
        return [`halts: ${effect.reason}`]
      default:
        return []
    }
  }
}

function connectWords(frame: Uint8Array): string {
  const { sessionId } = decode(connectRequestRecord, frame, TRAILING)
  return sessionId === 0n ? 'wants a session' : `comes back as ${formatSessionId(sessionId)}`
}

function connectedWords(frame: Uint8Array): string {
  const { sessionId, timeOut } = decode(connectResponseRecord, frame, TRAILING)
  return timeOut <= 0 ? 'session expired' : `session ${formatSessionId(sessionId)}, ${timeOut} ms`
}

function requestWords(frame: Uint8Array): string[] {
  const r = new JuteReader(frame)
  const xid = r.int()
  const type = r.int()
  if (type === OpCode.ping) return []
  const path = WITH_PATH.has(type) ? ` ${r.string('path')}` : ''
  return [`${xid} ${opName(type)}${path}`]
}

function replyWords(frame: Uint8Array): string[] {
  const r = new JuteReader(frame)
  const { xid, zxid, err } = replyHeaderRecord.read(r)
  if (xid === SpecialXid.ping) return []
  if (xid === SpecialXid.notification) {
    const { type, path } = watcherEventRecord.read(r)
    return [`event ${eventTypeName(type)} ${path} at ${shortZxid(zxid)}`]
  }
  return [`${xid} ${errorCodeName(err)} at ${shortZxid(zxid)}`]
}

function guarded(words: () => string[]): string[] {
  try {
    return words()
  } catch (error) {
    if (error instanceof JuteError) return [`something unreadable (${error.message})`]
    throw error
  }
}
