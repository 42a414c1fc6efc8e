/** Ways for clients: to the own member, or over a link to a voter; and in, from other tabs. */
import type { FoundingMember } from '../core/founding/founding-record.ts'
import type { ServerId } from '../core/base/zxid.ts'
import type { ClientChannel } from '../ports/client-channel.ts'
import { bridgeChannels } from './bridge-channels.ts'
import type { Member } from './member.ts'
import type { PeerLink, PeerTable } from './peer-table.ts'
import { type OwnClient, WaitingClients } from './waiting-clients.ts'

export interface ClientWaysHost {
  readonly every: (intervalMs: number, run: () => void) => () => void
  readonly peers: PeerTable
  readonly voters: () => readonly FoundingMember[]
  readonly ownSid: () => ServerId | null
  readonly member: () => Member | null
}

export class ClientWays {
  readonly #host: ClientWaysHost
  readonly #waiting: WaitingClients
  #isServing = false

  constructor(host: ClientWaysHost) {
    this.#host = host
    this.#waiting = new WaitingClients(host.every, (client) => this.#serveOwn(client))
  }

  /** The own member serves, or does not any more. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing
    if (isServing) this.#waiting.releaseAll()
  }

  /** There is no member that could serve: nobody waits for it. */
  release(): void {
    this.#isServing = false
    this.#waiting.releaseAll()
  }

  /** Where a client of this tab can connect now. */
  reachable(): readonly (ServerId | 'local')[] {
    const ways = this.#host.voters().flatMap(({ sid, incarnation }): ServerId[] => {
      const clients = this.#host.peers.ofMember(incarnation)?.clients ?? null
      return clients === null || sid === this.#host.ownSid() ? [] : [sid]
    })
    return this.#host.member() === null ? ways : ['local', ...ways]
  }

  /**
   * Bridge a client of this tab to the own member or to a voter by its id. `address`: where it
   * comes from, for ACLs and people; a client inside the page has none.
   */
  connect(channel: ClientChannel, target: number | 'local', address = 'local'): void {
    if (target === 'local' || target === this.#host.ownSid()) {
      const mustWait = this.#host.member() !== null && !this.#isServing
      const client = { channel, address }
      return mustWait ? this.#waiting.add(client) : this.#serveOwn(client)
    }
    const voter = this.#host.voters().find((member) => member.sid === target)
    const link = voter === undefined ? undefined : this.#host.peers.ofMember(voter.incarnation)
    const clients = link?.clients ?? null
    if (clients === null) return channel.close(`no link to machine ${target}`)
    bridgeChannels(channel, clients.open())
  }

  /** A client of another tab. */
  serve(link: PeerLink, channel: ClientChannel): void {
    const member = this.#host.member()
    if (link.member === null) return channel.close('not verified')
    if (member === null) return channel.close('no member runs here')
    member.attachClient(channel, link.member.incarnation)
  }

  #serveOwn({ channel, address }: OwnClient): void {
    const member = this.#host.member()
    if (member === null) channel.close('this tab has no running member')
    else member.attachClient(channel, address)
  }
}
