/**
 * The raw limit of a quorum write: what the browser can do at this moment, without any protocol.
 * The leader sends and appends at once, followers append before they ack, two of three commit.
 */
import * as Comlink from 'comlink'
import { measurePipeline, measureSequence, type PipelineSpec } from '../workload.ts'
import { RawLog } from './raw-log.ts'

/** One message of the leader: what whole entries fit in; measured best for the yardstick. */
const FRAME_BYTES = 60_000
const HEAD_BYTES = 16
/** Best rates of a channel in the browser facts: between these two. */
const BULK_HIGH_BYTES = 256 * 1024
const BULK_LOW_BYTES = 64 * 1024
/** Pieces of a bulk transfer that make one stored value. */
const PIECES_PER_VALUE = 4

const Kind = { APPEND: 1, ACK: 2, PING: 3, PONG: 4, BULK: 5, RECEIVED: 6, STORED: 7 } as const

/** ms from the first piece sent. */
export interface BulkTimes {
  readonly receivedMs: number
  readonly storedMs: number
}

interface Waiter {
  readonly entry: number
  readonly resolve: () => void
}

class RawMember {
  readonly #links = new Map<number, RTCDataChannel>()
  readonly #acks = new Map<number, number>()
  #log: RawLog | null = null
  #leader: number | null = null
  #durable = 0
  #proposed = 0
  #unsent = 0
  #isSendDue = false
  #waiters: Waiter[] = []
  #nextWaiter = 0
  #entryBytes = 0
  #onPong: () => void = () => {}
  #onOpen: () => void = () => {}
  #bulk: Uint8Array[] = []
  #onReceived: () => void = () => {}
  #onStored: () => void = () => {}

  async open(name: string): Promise<void> {
    this.#log = await RawLog.open(name)
  }

  /** In the task that made the channel: the page calls it synchronously. */
  attach(peer: number, channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer'
    this.#links.set(peer, channel)
    channel.onmessage = (event: MessageEvent<ArrayBuffer>) => this.#receive(peer, event.data)
    channel.onopen = () => this.#onOpen()
  }

  /** Resolves when there are so many open channels. */
  async opened(count: number): Promise<void> {
    const isOpen = (): boolean => {
      const links = [...this.#links.values()]
      return links.filter((link) => link.readyState === 'open').length >= count
    }
    await new Promise<void>((resolve) => {
      this.#onOpen = () => {
        if (isOpen()) resolve()
      }
      this.#onOpen()
    })
  }

  follow(leader: number): void {
    this.#leader = leader
    this.#rawLog.onDurable = (last) => this.#send(leader, Kind.ACK, last)
  }

  lead(): void {
    for (const peer of this.#links.keys()) this.#acks.set(peer, 0)
    this.#rawLog.onDurable = (last) => {
      this.#durable = last
      this.#commit()
    }
  }

  sequence(count: number, entryBytes: number): Promise<number[]> {
    this.#entryBytes = entryBytes
    return measureSequence(() => this.#propose(), count)
  }

  pipeline(entryBytes: number, spec: PipelineSpec): Promise<number> {
    this.#entryBytes = entryBytes
    return measurePipeline(() => this.#propose(), spec)
  }

  roundTrips(peer: number, count: number): Promise<number[]> {
    const payload = new Uint8Array(100)
    return measureSequence(() => {
      const answered = new Promise<void>((resolve) => (this.#onPong = resolve))
      this.#send(peer, Kind.PING, 0, payload)
      return answered
    }, count)
  }

  /** So many bytes to one peer, which stores them in one transaction. */
  async sendBulk(peer: number, bytes: number): Promise<BulkTimes> {
    const link = this.#links.get(peer)
    if (link === undefined) throw new Error('no link')
    const received = new Promise<void>((resolve) => (this.#onReceived = resolve))
    const stored = new Promise<void>((resolve) => (this.#onStored = resolve))
    const startMs = performance.now()
    link.bufferedAmountLowThreshold = BULK_LOW_BYTES
    for (let left = bytes; left > 0; left -= FRAME_BYTES) {
      const size = Math.min(left, FRAME_BYTES)
      this.#send(peer, Kind.BULK, left - size, new Uint8Array(size))
      if (link.bufferedAmount < BULK_HIGH_BYTES) continue
      await new Promise((resolve) => (link.onbufferedamountlow = resolve))
    }
    await received
    const receivedMs = performance.now() - startMs
    await stored
    return { receivedMs, storedMs: performance.now() - startMs }
  }

  /** Everything a port carries comes back: the limit of a request to one's own worker. */
  echo(port: MessagePort): void {
    port.onmessage = (event: MessageEvent<Uint8Array<ArrayBuffer>>) => {
      port.postMessage(event.data, [event.data.buffer])
    }
  }

  get #rawLog(): RawLog {
    if (this.#log === null) throw new Error('not open')
    return this.#log
  }

  #propose(): Promise<void> {
    const entry = ++this.#proposed
    this.#unsent++
    if (!this.#isSendDue) {
      this.#isSendDue = true
      queueMicrotask(() => this.#sendProposed())
    }
    return new Promise((resolve) => this.#waiters.push({ entry, resolve }))
  }

  #sendProposed(): void {
    this.#isSendDue = false
    const perFrame = Math.max(1, Math.floor(FRAME_BYTES / this.#entryBytes))
    while (this.#unsent > 0) {
      const count = Math.min(this.#unsent, perFrame)
      this.#unsent -= count
      const last = this.#proposed - this.#unsent
      const bytes = new Uint8Array(count * this.#entryBytes)
      for (const peer of this.#links.keys()) this.#send(peer, Kind.APPEND, last, bytes)
      this.#rawLog.append(last, bytes)
    }
  }

  #receive(from: number, data: ArrayBuffer): void {
    const [kind, value = 0] = new Float64Array(data, 0, 2)
    if (kind === Kind.APPEND) {
      if (this.#leader !== null) this.#rawLog.append(value, new Uint8Array(data, HEAD_BYTES))
    } else if (kind === Kind.ACK) {
      this.#acks.set(from, value)
      this.#commit()
    } else if (kind === Kind.PING) this.#send(from, Kind.PONG, 0)
    else if (kind === Kind.BULK) this.#receiveBulk(from, data, value)
    else if (kind === Kind.RECEIVED) this.#onReceived()
    else if (kind === Kind.STORED) this.#onStored()
    else this.#onPong()
  }

  #receiveBulk(from: number, data: ArrayBuffer, leftBytes: number): void {
    this.#bulk.push(new Uint8Array(data, HEAD_BYTES))
    if (leftBytes > 0) return
    this.#send(from, Kind.RECEIVED, 0)
    const pieces = this.#bulk
    this.#bulk = []
    const values: Uint8Array[] = []
    for (let i = 0; i < pieces.length; i += PIECES_PER_VALUE) {
      values.push(joined(pieces.slice(i, i + PIECES_PER_VALUE)))
    }
    void this.#rawLog.install(values).then(() => this.#send(from, Kind.STORED, 0))
  }

  /** The second of three is what a quorum has. */
  #commit(): void {
    const [, committed = 0] = [this.#durable, ...this.#acks.values()].sort((a, b) => b - a)
    for (;;) {
      const waiter = this.#waiters[this.#nextWaiter]
      if (waiter === undefined || waiter.entry > committed) break
      this.#nextWaiter++
      waiter.resolve()
    }
    if (this.#nextWaiter < this.#waiters.length) return
    this.#waiters = []
    this.#nextWaiter = 0
  }

  #send(to: number, kind: number, value: number, payload = new Uint8Array(0)): void {
    const message = new Uint8Array(HEAD_BYTES + payload.length)
    new Float64Array(message.buffer, 0, 2).set([kind, value])
    message.set(payload, HEAD_BYTES)
    this.#links.get(to)?.send(message)
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    all.set(piece, offset)
    offset += piece.length
  }
  return all
}

export type RawWorker = RawMember

Comlink.expose(new RawMember())
