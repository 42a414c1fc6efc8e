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

export interface OwnClient {
  readonly channel: ClientChannel
  readonly address: string
}

export class WaitingClients {
  readonly #every: (intervalMs: number, run: () => void) => () => void
  readonly #serve: (client: OwnClient) => void
  /** In order of arrival, each with what stops its timer. */
  readonly #waiting = new Map<OwnClient, () => void>()

  /** `serve` hands a client to the member, which closes it when it still does not serve. */
  constructor(
    every: (intervalMs: number, run: () => void) => () => void,
    serve: (client: OwnClient) => void,
  ) {
    this.#every = every
    this.#serve = serve
  }

  /** What the client sends meanwhile is kept by its channel. */
  add(client: OwnClient): void {
    if (this.#waiting.size >= WAITING_CLIENTS_MAX) {
      this.#serve(client)
      return
    }
    this.#waiting.set(
      client,
      this.#every(SERVE_WAIT_MS, () => this.#release(client)),
    )
    client.channel.onClose = () => this.#forget(client)
  }

  /** The member serves, or never will: nobody waits any longer. */
  releaseAll(): void {
    for (const client of [...this.#waiting.keys()]) this.#release(client)
  }

  #release(client: OwnClient): void {
    if (this.#forget(client)) this.#serve(client)
  }

  #forget(client: OwnClient): boolean {
    this.#waiting.get(client)?.()
    return this.#waiting.delete(client)
  }
}
