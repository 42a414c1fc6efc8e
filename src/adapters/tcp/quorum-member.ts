/** Who is in the ensemble, and its configuration as text (Q8). */
import { encodeUtf8 } from '../../core/base/utf8.ts'
import type { QuorumGroup } from '../../core/zab/hierarchical-verifier.ts'
import type { ServerId } from '../../core/base/zxid.ts'

export interface QuorumAddress {
  /** Name or address, IPv6 without brackets. */
  readonly host: string
  readonly quorumPort: number
  readonly electionPort: number
}

export interface QuorumMember extends QuorumAddress {
  readonly sid: ServerId
  /** On other networks, as ZOOKEEPER-3188 has them; tried in turn. */
  readonly otherAddresses?: readonly QuorumAddress[]
  readonly role: 'participant' | 'observer'
  readonly clientAddress?: string
  readonly clientPort?: number
}

/** `server.1=host:quorumPort:electionPort:role;address:clientPort` … `version=0`, by lines. */
export function configText(
  members: readonly QuorumMember[],
  groups: readonly QuorumGroup[] = [],
): Uint8Array {
  const lines = members.map((member) => {
    const { sid, role, clientPort } = member
    const client =
      clientPort === undefined ? '' : `;${member.clientAddress ?? '0.0.0.0'}:${clientPort}`
    return `server.${sid}=${addressText(member)}:${role}${client}\n`
  })
  for (const [index, group] of groups.entries()) {
    lines.push(`group.${index + 1}=${group.map(({ sid }) => sid).join(':')}\n`)
    for (const { sid, weight } of group) lines.push(`weight.${sid}=${weight}\n`)
  }
  // No reconfig has made it; of two versions Apache ZooKeeper would take the higher one over.
  return encodeUtf8(`${lines.join('')}version=0`)
}

export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function addressesOf(member: QuorumMember): readonly QuorumAddress[] {
  const { host, quorumPort, electionPort, otherAddresses = [] } = member
  return [{ host, quorumPort, electionPort }, ...otherAddresses]
}

/** As `server.N` lines write it, without the role. */
export function addressText(member: QuorumMember): string {
  const one = ({ host, quorumPort, electionPort }: QuorumAddress): string =>
    `${bracketed(host)}:${quorumPort}:${electionPort}`
  return addressesOf(member).map(one).join('|')
}

/** The addresses of one member in turn: the next one after each that did not answer. */
export class AddressTurns {
  readonly #addresses: readonly QuorumAddress[]
  #turn = 0

  constructor(member: QuorumMember) {
    this.#addresses = addressesOf(member)
  }

  get current(): QuorumAddress {
    const address = this.#addresses[this.#turn % this.#addresses.length]
    if (address === undefined) throw new Error('a member has an address')
    return address
  }

  next(): void {
    this.#turn++
  }
}
