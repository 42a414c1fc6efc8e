/**
 * What may leave when (design §5). The runtime and the simulator drive the same gate and have no
 * rules of their own.
 *
 * Invariants:
 * - persist effects are numbered 1, 2, 3 … in the order offered; batches keep that order, only one
 *   is in flight, and a barrier is the last of its batch;
 * - a stream send with `when: 'persisted'` leaves only when every persist effect offered before it
 *   is durable, and what follows it on the same (peer, stream) stays behind it;
 * - pulse, election and request lanes are never held; of the notifications for one peer only the
 *   newest leaves (Q21).
 */
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import type { ServerId } from '../base/zxid.ts'
import { isPersistEffect } from '../zab/effect.ts'
import type { PersistEffect, SendEffect, ZabEffect } from '../zab/effect.ts'
import { encodeFrames } from '../zab/frame.ts'

export interface OutgoingFrame {
  readonly peer: ServerId
  readonly bytes: Uint8Array
}

/** Effects that the gate hands on as they are. */
export type PassedOn<E> = Exclude<E | ZabEffect, PersistEffect | SendEffect>

/** A packet of the stream and the mark that must be durable before it leaves; 0 = none. */
interface QueuedPacket {
  readonly conversation: number
  readonly mark: number
  readonly packet: Uint8Array
}

class PeerQueue {
  pulses: Uint8Array[] = []
  notification: Uint8Array | null = null
  requests: Deque<QueuedPacket> = new Deque<QueuedPacket>()
  stream: Deque<QueuedPacket> = new Deque<QueuedPacket>()
}

export class EffectGate<E extends { readonly kind: string } = ZabEffect> {
  readonly #peers = new Map<ServerId, PeerQueue>()
  #waiting: PersistEffect[] = []
  #others: PassedOn<E>[] = []
  #batchLength = 0
  #offered = 0
  #durable = 0
  /** Since frames were taken something was queued or let go; most steps do neither. */
  #mayHaveFrames = false

  offer(effects: readonly (E | ZabEffect)[]): void {
    for (const effect of effects) this.#offerOne(effect)
  }

  /** True while a batch is in flight. */
  get inFlight(): boolean {
    return this.#batchLength > 0
  }

  /** True when `takeBatch` has one. */
  get hasBatch(): boolean {
    return !this.inFlight && this.#waiting.length > 0
  }

  /** Number of persist effects that are durable: the newest mark. */
  get durableMark(): number {
    return this.#durable
  }

  /** Everything to be persisted next, as one transaction. */
  takeBatch(): readonly PersistEffect[] | null {
    if (!this.hasBatch) return null
    const end = this.#waiting.findIndex(isBarrier) + 1 || this.#waiting.length
    const batch = end === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, end)
    this.#waiting = end === this.#waiting.length ? [] : this.#waiting.slice(end)
    this.#batchLength = batch.length
    return batch
  }

  /** The batch given last is durable. Returns the new mark. */
  batchDone(): number {
    assert(this.inFlight, 'a batch is done that was not taken')
    this.#durable += this.#batchLength
    this.#batchLength = 0
    this.#mayHaveFrames = true
    return this.#durable
  }

  /** Whole frames that may leave now, per peer pulses first. */
  takeFrames(): readonly OutgoingFrame[] {
    if (!this.#mayHaveFrames) return []
    this.#mayHaveFrames = false
    const frames: OutgoingFrame[] = []
    for (const [peer, queue] of this.#peers) {
      if (queue.pulses.length > 0) {
        addFrames(frames, peer, encodeFrames('pulse', 0, queue.pulses))
        queue.pulses = []
      }
      if (queue.notification !== null) {
        addFrames(frames, peer, encodeFrames('election', 0, [queue.notification]))
        queue.notification = null
      }
      this.#drain(queue.requests, 'request', peer, frames)
      this.#drain(queue.stream, 'stream', peer, frames)
    }
    return frames
  }

  /** Everything that is not gated, in order. */
  takeOthers(): readonly PassedOn<E>[] {
    const others = this.#others
    this.#others = []
    return others
  }

  #offerOne(effect: E | ZabEffect): void {
    if (isPersistEffect(effect)) {
      this.#waiting.push(effect)
      this.#offered++
      return
    }
    if (isZab(effect, 'send')) {
      this.#queueSend(effect)
      return
    }
    if (isZab(effect, 'end-conversation')) this.#endConversation(effect)
    // Whatever waits was meant for the old link; a new one begins with nothing.
    if (isZab(effect, 'close-link')) this.#peers.delete(effect.peer)
    this.#others.push(effect as PassedOn<E>)
  }

  #queueSend(send: SendEffect): void {
    this.#mayHaveFrames = true
    let queue = this.#peers.get(send.peer)
    if (queue === undefined) {
      queue = new PeerQueue()
      this.#peers.set(send.peer, queue)
    }
    const { packet, conversation } = send
    if (send.lane === 'pulse') queue.pulses.push(packet)
    else if (send.lane === 'election') queue.notification = packet
    else if (send.lane === 'request') queue.requests.pushBack({ conversation, mark: 0, packet })
    else {
      const mark = send.when === 'persisted' ? this.#offered : 0
      queue.stream.pushBack({ conversation, mark, packet })
    }
  }

  #endConversation(end: { readonly peer: ServerId; readonly conversation: number }): void {
    const queue = this.#peers.get(end.peer)
    if (queue === undefined) return
    this.#mayHaveFrames = true
    const others = ({ conversation }: QueuedPacket): boolean => conversation !== end.conversation
    queue.stream = new Deque([...queue.stream].filter(others))
    queue.requests = new Deque([...queue.requests].filter(others))
  }

  /** Packets from the front until one is held, in frames of one conversation each. */
  #drain(
    queue: Deque<QueuedPacket>,
    lane: 'stream' | 'request',
    peer: ServerId,
    frames: OutgoingFrame[],
  ): void {
    let run: Uint8Array[] = []
    let conversation = 0
    for (;;) {
      const next = queue.peekFront()
      if (next === undefined || next.mark > this.#durable) break
      if (run.length > 0 && next.conversation !== conversation) {
        addFrames(frames, peer, encodeFrames(lane, conversation, run))
        run = []
      }
      conversation = next.conversation
      run.push(next.packet)
      queue.popFront()
    }
    if (run.length > 0) addFrames(frames, peer, encodeFrames(lane, conversation, run))
  }
}

function addFrames(to: OutgoingFrame[], peer: ServerId, all: readonly Uint8Array[]): void {
  for (const bytes of all) to.push({ peer, bytes })
}

/** Nothing later may join its batch: what the storage holds changes under what follows. */
function isBarrier(effect: PersistEffect): boolean {
  return effect.kind === 'truncate' || (effect.kind === 'snapshot-commit' && effect.install)
}

function isZab<K extends ZabEffect['kind']>(
  effect: { readonly kind: string },
  kind: K,
): effect is Extract<ZabEffect, { readonly kind: K }> {
  return effect.kind === kind
}
