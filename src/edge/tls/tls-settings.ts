/** What TLS on a port is set to. */
import type { SecureVersion } from 'node:tls'

export interface KeyStore {
  readonly location: string
  readonly type: 'PEM' | 'PKCS12'
  readonly password: string
  /** A file with the password; null: the one above. */
  readonly passwordPath: string | null
}

export interface TlsKeys {
  /** 'ssl.' or 'ssl.quorum.', for what is said about them. */
  readonly prefix: string
  readonly keyStore: KeyStore | null
  readonly trustStore: KeyStore | null
  readonly clientAuth: 'none' | 'want' | 'need'
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** As OpenSSL writes them; null: Node's. */
  readonly ciphers: string | null
  readonly checksServerName: boolean
  /** Null: as it is usual on that port. */
  readonly checksClientName: boolean | null
  readonly handshakeMs: number
  /** Certificates are looked up in the lists of revoked ones, which the trust store has. */
  readonly checksRevoked: boolean
}
