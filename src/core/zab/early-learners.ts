/** What learners said that came before this member knew what it is; the newest of each. */
import type { ServerId } from '../base/zxid.ts'

export interface EarlyLearner {
  readonly peer: ServerId
  readonly conversation: number
  readonly packet: Uint8Array
}

export class EarlyLearners {
  readonly #bySid = new Map<ServerId, EarlyLearner>()

  add(learner: EarlyLearner): void {
    this.#bySid.set(learner.peer, learner)
  }

  onLinkDown(peer: ServerId): void {
    this.#bySid.delete(peer)
  }

  onEnd(peer: ServerId, conversation: number): void {
    if (this.#bySid.get(peer)?.conversation === conversation) this.#bySid.delete(peer)
  }

  take(): EarlyLearner[] {
    const all = [...this.#bySid.values()]
    this.#bySid.clear()
    return all
  }
}
