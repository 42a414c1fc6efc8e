/**
 * Observers come at some time, ask for a place, and start when a serving voter shows them one; as
 * pages of a room do. From then on they are hurt like everybody else, and stay away for longer.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import type { SimHost } from './sim-host.ts'
import type { SimContext } from './sim-context.ts'

/** ms from the beginning, or from the observer before it, until an observer comes. */
const COMES_MS = 12_000
/** ms between two questions for a place, and between asking and looking. */
const ASK_MS = 250
/** Every page load may ask for session ids of its own, or do with those it has. */
const CHANCE_OF_ASKING = 0.5

export class ObserverPlan {
  readonly #context: SimContext
  readonly #voters: readonly SimHost[]
  readonly #observers: readonly SimHost[]
  readonly #prng: Prng

  constructor(context: SimContext, voters: readonly SimHost[], observers: readonly SimHost[]) {
    this.#context = context
    this.#voters = voters
    this.#observers = observers
    this.#prng = context.prng.fork('observers')
  }

  /** One after the other, so that their server ids are known before. */
  start(): void {
    this.#comes(0)
  }

  /** A new life of one that was here before. */
  restart(host: SimHost): void {
    if (host.isUp || host.sessionBase === null) return
    if (!this.#prng.bool(CHANCE_OF_ASKING)) {
      host.start()
      return
    }
    this.#ask(host)
    const { life } = host
    this.#context.timeline.after(ASK_MS, () => {
      if (host.life !== life || host.isUp) return
      this.#look(host)
      host.start()
    })
  }

  #comes(index: number): void {
    const host = this.#observers[index]
    if (host === undefined) return
    this.#context.timeline.after(this.#prng.next() * COMES_MS, () => this.#waits(host, index))
  }

  #waits(host: SimHost, index: number): void {
    this.#look(host)
    if (host.sessionBase !== null) {
      host.start()
      this.#comes(index + 1)
      return
    }
    this.#ask(host)
    this.#context.timeline.after(ASK_MS, () => this.#waits(host, index))
  }

  /** All who hear of it tell their member; it need not be the leader. */
  #ask(host: SimHost): void {
    for (const voter of this.#voters) {
      if (voter.isRunning) voter.inputs({ kind: 'admit-observer', incarnation: nameOf(host) })
    }
  }

  #look(host: SimHost): void {
    for (const voter of this.#voters) {
      const status = voter.machine?.status(voter.now())
      if (status?.serving !== true) continue
      const place = status.observers.find(({ incarnation }) => incarnation === nameOf(host))
      if (place === undefined) continue
      if (place.sid !== host.sid)
        this.#context.fail('TableOfObservers', `${host.name}: ${place.sid}`)
      if (place.sessionBase > (host.sessionBase ?? 0n)) host.sessionBase = place.sessionBase
    }
  }
}

function nameOf({ sid }: SimHost): string {
  return `0b5e${sid.toString(16).padStart(4, '0')}`
}
