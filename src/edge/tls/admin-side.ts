/** admin.forceHttps and admin.portUnification: TLS on the port of administration. */
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import type { ServerSettings } from '../settings.ts'
import type { TlsKeeper } from './tls-keeper.ts'
import { tlsSideOf, type SideOptions } from './tls-side-of.ts'

/**
 * null: it is http. With the keys of the quorum, as ZooKeeper takes them. Throws an Error that
 * names the key and what is wrong with its file.
 */
export function adminSide(settings: ServerSettings, keeper: TlsKeeper | null): TlsSide | null {
  const { quorumTls, adminForcesTls, adminTakesBoth, adminNeedsCertificate } = settings
  if (quorumTls === null || (!adminForcesTls && !adminTakesBoth)) return null
  const options: SideOptions = {
    isCalled: true,
    takesPlain: !adminForcesTls,
    clientAuth: adminNeedsCertificate ? 'need' : 'none',
  }
  if (keeper === null) return tlsSideOf(quorumTls, options)
  return keeper.side(quorumTls, settings.quorumTlsReloads, options)
}
