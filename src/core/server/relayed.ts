/**
 * What a follower asks its leader for observers that learn from it (Q58), and whose each answer is.
 *
 * The leader answers syncs in the order in which it got them, and revalidations likewise; a SYNC
 * names no request, and two servers may ask for the same session. So for each of the two there is
 * one line in which everybody stands: this server for its own clients, and its observers.
 */
import { Deque } from '../base/deque.ts'
import type { ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { answerIn, type ReplicaPacket } from '../zab/replica.ts'

/**
 * Questions of observers and own ones that wait for the leader. Ours: what OBSERVERS_MAX observers
 * ask with four times globalOutstandingLimit each.
 */
const ASKED_MAX = 65_536

/** An observer's question. */
export class Relayed {
  readonly observer: ServerId
  readonly #conversation: number | undefined

  constructor(observer: ServerId, { conversation }: ReplicaPacket) {
    this.observer = observer
    this.#conversation = conversation
  }

  /** What the leader said, for the conversation that asked. */
  answer({ type, data }: ReplicaPacket): ReplicaPacket {
    return answerIn(this.#conversation, type, data)
  }
}

/** `T`: this server's own questions. */
export class AnswerLine<T> {
  readonly #line = new Deque<T | Relayed>()

  ask(own: T): void {
    this.#line.pushBack(own)
  }

  /** Throws JuteError when nobody could ask so much. */
  relay(observer: ServerId, packet: ReplicaPacket): void {
    if (this.#line.length >= ASKED_MAX) throw new JuteError('asks more than is answered')
    this.#line.pushBack(new Relayed(observer, packet))
  }

  /** Whose the answer is that came now; undefined: nobody waits. */
  next(): T | Relayed | undefined {
    return this.#line.popFront()
  }
}
