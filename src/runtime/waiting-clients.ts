/**
 * Clients of this tab while its member does not serve: they wait here for the election to end,
 * since a refusal would make them pause and try again, longer than the election itself takes.
 *
 * Only the own tab's clients: another tab's may find a member that serves.
 */
import type { ClientChannel } from '../ports/client-channel.ts'

/** Longer than an election with its synchronisation, shorter than a client's patience. Ours. */
export const SERVE_WAIT_MS = 1_000
/** Ours: a tab has one or two; what comes on top is refused as if nobody waited. */
export const WAITING_CLIENTS_MAX = 64

export class WaitingClients {
  readonly #every: (intervalMs: number, run: () => void) => () => void
  readonly #serve: (channel: ClientChannel) => void
  /** In order of arrival, each with what stops its timer. */
  readonly #waiting = new Map<ClientChannel, () => void>()

  /** `serve` hands a channel to the member, which closes it when it still does not serve. */
  constructor(
    every: (intervalMs: number, run: () => void) => () => void,
    serve: (channel: ClientChannel) => void,
  ) {
    this.#every = every
    this.#serve = serve
  }

  /** What the client sends meanwhile is kept by its channel. */
  add(channel: ClientChannel): void {
    if (this.#waiting.size >= WAITING_CLIENTS_MAX) {
      this.#serve(channel)
      return
    }
    this.#waiting.set(
      channel,
      this.#every(SERVE_WAIT_MS, () => this.#release(channel)),
    )
    channel.onClose = () => this.#forget(channel)
  }

  /** The member serves, or never will: nobody waits any longer. */
  releaseAll(): void {
    for (const channel of [...this.#waiting.keys()]) this.#release(channel)
  }

  #release(channel: ClientChannel): void {
    if (this.#forget(channel)) this.#serve(channel)
  }

  #forget(channel: ClientChannel): boolean {
    this.#waiting.get(channel)?.()
    return this.#waiting.delete(channel)
  }
}
