/** Who is in the ensemble, and its configuration as text (Q8). */
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
  readonly secureClientAddress?: string
  readonly secureClientPort?: number
}

/** The configuration, line by line: members, groups, weights, and its version. */
export function configLines(
  members: readonly QuorumMember[],
  groups: readonly QuorumGroup[] = [],
): readonly string[] {
  const bySid = [...members].sort((a, b) => a.sid - b.sid)
  const weights = groups.flat().sort((a, b) => a.sid - b.sid)
  return [
    ...bySid.map((member) => `server.${member.sid}=${memberText(member)}`),
    ...groups.map((group, at) => `group.${at + 1}=${group.map(({ sid }) => sid).join(':')}`),
    ...weights.map(({ sid, weight }) => `weight.${sid}=${weight}`),
    // No reconfig has made it; of two versions Apache ZooKeeper would take the higher one over.
    'version=0',
  ]
}

/** As servers send it to each other, and as /zookeeper/config has it (Q8, D3). */
export function configText(
  members: readonly QuorumMember[],
  groups: readonly QuorumGroup[] = [],
): string {
  return configLines(members, groups).join('\n')
}

/** `host:quorumPort:electionPort:role[;address:clientPort[;address:securePort]]` (Q2). */
export function memberText(member: QuorumMember): string {
  const { role, clientAddress, clientPort, secureClientAddress, secureClientPort } = member
  const client = clientText(clientAddress, clientPort)
  const secure = clientText(secureClientAddress, secureClientPort)
  const ports = secure === '' ? [client].filter((text) => text !== '') : [client, secure]
  return [`${addressText(member)}:${role}`, ...ports].join(';')
}

/** Empty: clients are served at none. 0 is any free port, and nobody is helped by it. */
export function clientText(address: string | undefined, port: number | undefined): string {
  if (port === undefined || port === 0) return ''
  return `${bracketed(address ?? '0.0.0.0')}:${port}`
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

  /**
   * `observerMasterPort`: for an observer, null: there is none. Apache's followers serve observers
   * only there, its leader only at the quorum port, and who of them is what may just have changed.
   */
  constructor(member: QuorumMember, observerMasterPort: number | null = null) {
    const own = addressesOf(member)
    this.#addresses =
      observerMasterPort === null
        ? own
        : own.flatMap((one) => [{ ...one, quorumPort: observerMasterPort }, one])
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
