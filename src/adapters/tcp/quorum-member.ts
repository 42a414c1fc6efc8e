/** Who is in the ensemble, and its configuration as text (Q8). */
import { encodeUtf8 } from '../../core/base/utf8.ts'
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
export function configText(members: readonly QuorumMember[]): Uint8Array {
  const lines = members.map((member) => {
    const { sid, host, quorumPort, electionPort, role, clientPort } = member
    const client =
      clientPort === undefined ? '' : `;${member.clientAddress ?? '0.0.0.0'}:${clientPort}`
    return `server.${sid}=${bracketed(host)}:${quorumPort}:${electionPort}:${role}${client}\n`
  })
  // No reconfig has made it; of two versions Apache ZooKeeper would take the higher one over.
  return encodeUtf8(`${lines.join('')}version=0`)
}

export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
