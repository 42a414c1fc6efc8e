/** sslQuorum and portUnification: TLS on the two ports between servers. */
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import type { ServerSettings } from '../settings.ts'
import type { TlsKeeper } from './tls-keeper.ts'

export interface QuorumSides {
  /** Of those that this member calls; null: without TLS. */
  readonly outgoing: TlsSide | null
  /** Of those that call it. */
  readonly incoming: TlsSide | null
}

/** Throws an Error that names the key and what is wrong with its file. */
export function quorumSides(settings: ServerSettings, keeper: TlsKeeper): QuorumSides {
  const { quorumTls, quorumUsesTls, quorumTakesBoth, members } = settings
  if (quorumTls === null || (!quorumUsesTls && !quorumTakesBoth)) {
    return { outgoing: null, incoming: null }
  }
  // Not only a good certificate, but one of a member: the list says whose names those are.
  const checksNames = quorumTls.checksServerName && quorumTls.checksClientName !== false
  const side = keeper.side(quorumTls, settings.quorumTlsReloads, {
    isCalled: true,
    takesPlain: quorumTakesBoth,
    clientHosts: checksNames ? members.map(({ host }) => host) : null,
  })
  return { outgoing: quorumUsesTls ? side : null, incoming: side }
}
