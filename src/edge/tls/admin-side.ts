/** admin.forceHttps and admin.portUnification: TLS on the port of administration. */
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import type { ServerSettings } from '../settings.ts'
import { tlsSideOf } from './tls-side-of.ts'

/**
 * null: it is http. With the keys of the quorum, as ZooKeeper takes them. Throws an Error that
 * names the key and what is wrong with its file.
 */
export function adminSide(settings: ServerSettings): TlsSide | null {
  const { quorumTls, adminForcesTls, adminTakesBoth, adminNeedsCertificate } = settings
  if (quorumTls === null || (!adminForcesTls && !adminTakesBoth)) return null
  const side = tlsSideOf(quorumTls, { isCalled: true, takesPlain: !adminForcesTls })
  return { ...side, clientAuth: adminNeedsCertificate ? 'need' : 'none' }
}
