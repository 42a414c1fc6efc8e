/** The servers behind `dns-srv://name` (W60): asked for now and then, and tried in turn. */
import { resolveSrv } from 'node:dns/promises'
import type { HostAndPort } from './connect-string.ts'

/** As ZooKeeper's client: what was asked for is believed so long, ms. */
const REFRESH_MS = 60_000

export type LookUp = (name: string) => Promise<readonly { name: string; port: number }[]>

export interface ServiceHostsOptions {
  readonly name: string
  /** Random number in [0, 1): the order in which servers are tried (S28). */
  readonly random: () => number
  readonly nowMs: () => number
  /** Default: the system's resolver. */
  readonly lookUp?: LookUp
}

export class ServiceHosts {
  readonly #options: ServiceHostsOptions
  readonly #lookUp: LookUp
  #hosts: readonly HostAndPort[] = []
  #askedMs = -Infinity
  #turn = 0

  constructor(options: ServiceHostsOptions) {
    this.#options = options
    this.#lookUp = options.lookUp ?? resolveSrv
  }

  /**
   * Tries each of them once, from the next one on, until one does not fail. Rejects as the last one
   * did, or when nobody could ever be asked.
   */
  async first<T>(attempt: (host: HostAndPort) => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#refresh()
    let failure: unknown = new Error(`${this.#options.name} has no SRV records`)
    for (let left = this.#hosts.length; left > 0 && !signal.aborted; left--) {
      const host = this.#hosts[this.#turn++ % this.#hosts.length]
      if (host === undefined) break
      try {
        return await attempt(host)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** The one of the last time was asked something, and now it is to be used. */
  again(): void {
    this.#turn--
  }

  async #refresh(): Promise<void> {
    const { name, random, nowMs } = this.#options
    if (nowMs() - this.#askedMs < REFRESH_MS) return
    let found: readonly { name: string; port: number }[]
    try {
      found = await this.#lookUp(name)
    } catch (error) {
      // Those of the last time will do.
      if (this.#hosts.length > 0) return
      throw error
    }
    if (found.length === 0) return
    this.#askedMs = nowMs()
    this.#hosts = found
      .map(({ name: host, port }) => ({ host, port, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ host, port }) => ({ host, port }))
  }
}
