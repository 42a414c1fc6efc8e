/** Cuts the streams between ensemble members into packets and election messages. */

import { concat } from '../../src/core/base/bytes.ts'
import { initialMessageRecord } from '../../src/core/jute/election-records.ts'
import { JuteError } from '../../src/core/jute/jute-error.ts'
import { packetName, PacketType, quorumPacketRecord } from '../../src/core/jute/quorum-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import type { Frame } from './frame-file.ts'
import type { Tap } from './recording-proxy.ts'

/** int 10, 'BenWasHere': the end of a snapshot in the stream (Q33). */
const SNAPSHOT_END = Buffer.from('\0\0\0\nBenWasHere', 'latin1')
/** Pings without data are all alike. */
const EMPTY_PINGS_KEPT = 2
const TOUCHING_PINGS_KEPT = 4

/** Tries to take one item off the front; undefined while it is incomplete. */
type Take = (bytes: Uint8Array) => { readonly what: string; readonly length: number } | undefined

/** Collects a stream and hands on what `take` recognises. */
class StreamCutter {
  readonly #from: string
  readonly #frames: Frame[]
  readonly #take: Take
  #held: Uint8Array = new Uint8Array(0)

  constructor(from: string, frames: Frame[], take: Take) {
    this.#from = from
    this.#frames = frames
    this.#take = take
  }

  push(chunk: Uint8Array): void {
    this.#held = concat([this.#held, chunk])
    for (;;) {
      const item = this.#take(this.#held)
      if (item === undefined) return
      const bytes = this.#held.slice(0, item.length)
      this.#held = this.#held.slice(item.length)
      if (item.what !== '') this.#frames.push({ from: this.#from, what: item.what, bytes })
    }
  }
}

/** The quorum port: learners connect, the leader accepts. Packets have no length before them. */
export class QuorumTap implements Tap {
  readonly #learner: StreamCutter
  readonly #leader: StreamCutter
  #inSnapshot = false
  readonly #pings = new Map<string, number>()

  constructor(frames: Frame[]) {
    this.#learner = new StreamCutter('learner', frames, (bytes) =>
      this.#takePacket('learner', bytes),
    )
    this.#leader = new StreamCutter('leader', frames, (bytes) => this.#takeFromLeader(bytes))
  }

  onInitiator(chunk: Uint8Array): void {
    this.#learner.push(chunk)
  }

  onAcceptor(chunk: Uint8Array): void {
    this.#leader.push(chunk)
  }

  #takeFromLeader(bytes: Uint8Array): ReturnType<Take> {
    if (this.#inSnapshot) {
      const at = Buffer.from(bytes).indexOf(SNAPSHOT_END)
      if (at < 0) return undefined
      this.#inSnapshot = false
      return { what: 'snapshot-stream', length: at + SNAPSHOT_END.length }
    }
    const packet = this.#takePacket('leader', bytes)
    if (packet?.what === packetName(PacketType.SNAP)) this.#inSnapshot = true
    return packet
  }

  #takePacket(from: string, bytes: Uint8Array): ReturnType<Take> {
    const r = new JuteReader(bytes)
    try {
      const packet = quorumPacketRecord.read(r)
      const what = packetName(packet.type)
      const length = bytes.length - r.remaining
      return { what: this.#isOneMorePing(from, what, length) ? '' : what, length }
    } catch (error) {
      if (error instanceof JuteError) return undefined
      throw error
    }
  }

  #isOneMorePing(from: string, what: string, length: number): boolean {
    if (what !== 'PING') return false
    const key = `${from} ${length > 20 ? 'touching' : 'empty'}`
    const count = (this.#pings.get(key) ?? 0) + 1
    this.#pings.set(key, count)
    return count > (length > 20 ? TOUCHING_PINGS_KEPT : EMPTY_PINGS_KEPT)
  }
}

/** The election port: who connects introduces itself, then both send messages behind a length. */
export class ElectionTap implements Tap {
  readonly #initiator: StreamCutter
  readonly #acceptor: StreamCutter
  #introduced = false

  constructor(frames: Frame[]) {
    this.#initiator = new StreamCutter('initiator', frames, (bytes) => {
      if (this.#introduced) return takeMessage(bytes)
      const message = takeInitialMessage(bytes)
      this.#introduced = message !== undefined
      return message
    })
    this.#acceptor = new StreamCutter('acceptor', frames, takeMessage)
  }

  onInitiator(chunk: Uint8Array): void {
    this.#initiator.push(chunk)
  }

  onAcceptor(chunk: Uint8Array): void {
    this.#acceptor.push(chunk)
  }
}

function takeInitialMessage(bytes: Uint8Array): ReturnType<Take> {
  const r = new JuteReader(bytes)
  try {
    initialMessageRecord.read(r)
    return { what: 'InitialMessage', length: bytes.length - r.remaining }
  } catch (error) {
    if (error instanceof JuteError) return undefined
    throw error
  }
}

function takeMessage(bytes: Uint8Array): ReturnType<Take> {
  const r = new JuteReader(bytes)
  if (r.remaining < 4) return undefined
  const length = r.int()
  return r.remaining < length ? undefined : { what: 'Notification', length: 4 + length }
}
