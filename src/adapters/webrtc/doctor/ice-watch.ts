/** Watches one RTCPeerConnection and keeps what it showed, also after it has ended. */

import {
  ICE_ERROR_TEXT_MAX,
  ICE_ERROR_URL_MAX,
  ICE_ERRORS_MAX,
  NO_CANDIDATES,
  withCandidate,
  type CandidateCounts,
  type IceError,
  type IceFacts,
  type IceState,
  type PairsTried,
} from './ice-facts.ts'
import { pairStats, pairsTried, type PairStats } from './pair-stats.ts'

/**
 * When the pairs are counted after ICE began to check. Twice: early, and shortly before an attempt
 * is given up (CONNECT_TIMEOUT_MS). A closed connection has no statistics any more.
 */
const SAMPLES_AFTER_MS: readonly number[] = [2_000, 8_500]

export class IceWatch {
  readonly #connection: RTCPeerConnection
  #local: CandidateCounts = NO_CANDIDATES
  #remote: CandidateCounts = NO_CANDIDATES
  /** The last one before the connection was closed, which says nothing. */
  #state: IceState = 'new'
  #everConnected = false
  #gathered = false
  #tried: PairsTried | null = null
  readonly #errors: IceError[] = []
  readonly #timers: ReturnType<typeof setTimeout>[] = []
  readonly #ended = new AbortController()

  constructor(connection: RTCPeerConnection) {
    this.#connection = connection
    const { signal } = this.#ended
    connection.addEventListener(
      'icecandidate',
      ({ candidate }) => {
        if (candidate === null) this.#gathered = true
        else this.#local = withCandidate(this.#local, candidate.candidate)
      },
      { signal },
    )
    connection.addEventListener('icecandidateerror', (event) => this.#onError(event), { signal })
    connection.addEventListener('iceconnectionstatechange', () => this.#onState(), { signal })
  }

  /** A candidate from the other side is about to be added. */
  sawRemote(line: string): void {
    this.#remote = withCandidate(this.#remote, line)
  }

  facts(): IceFacts {
    return {
      state: this.#state,
      everConnected: this.#everConnected,
      gathered: this.#gathered,
      local: this.#local,
      remote: this.#remote,
      errors: [...this.#errors],
      tried: this.#tried,
    }
  }

  /** What carries the connection now; null when nothing does. */
  async stats(): Promise<PairStats | null> {
    if (this.#ended.signal.aborted) return null
    try {
      return pairStats(await this.#connection.getStats())
    } catch {
      // Closed meanwhile.
      return null
    }
  }

  end(): void {
    this.#ended.abort()
    for (const timer of this.#timers.splice(0)) clearTimeout(timer)
  }

  #onState(): void {
    const state = this.#connection.iceConnectionState
    if (state === 'closed') return
    this.#state = state
    if (state === 'connected' || state === 'completed') this.#everConnected = true
    if (state !== 'checking' || this.#timers.length > 0) return
    for (const afterMs of SAMPLES_AFTER_MS) {
      this.#timers.push(setTimeout(() => void this.#sample(), afterMs))
    }
  }

  async #sample(): Promise<void> {
    if (this.#everConnected || this.#ended.signal.aborted) return
    try {
      this.#tried = pairsTried(await this.#connection.getStats())
    } catch {
      // Closed meanwhile: the sample before has to do.
    }
  }

  #onError(event: RTCPeerConnectionIceErrorEvent): void {
    const url = event.url.slice(0, ICE_ERROR_URL_MAX)
    const code = event.errorCode
    if (this.#errors.length >= ICE_ERRORS_MAX) return
    if (this.#errors.some((known) => known.url === url && known.code === code)) return
    this.#errors.push({ url, code, text: event.errorText.slice(0, ICE_ERROR_TEXT_MAX) })
  }
}
