/** Who is in the ensemble, and its configuration as text (Q8). */
import { encodeUtf8 } from '../../core/base/utf8.ts'
import type { QuorumGroup } from '../../core/zab/hierarchical-verifier.ts'
import type { ServerId } from '../../core/base/zxid.ts'

export interface QuorumMember {
  readonly sid: ServerId
  /** Name or address, IPv6 without brackets. */
  readonly host: string
  readonly quorumPort: number
  readonly electionPort: number
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
    const { sid, host, quorumPort, electionPort, role, clientPort } = member
    const client =
      clientPort === undefined ? '' : `;${member.clientAddress ?? '0.0.0.0'}:${clientPort}`
    return `server.${sid}=${bracketed(host)}:${quorumPort}:${electionPort}:${role}${client}\n`
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
