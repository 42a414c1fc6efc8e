/** Who a connection is: schemes of auth packets, and what is asked of everybody (A4–A7, A13). */
import { decodeUtf8 } from '../base/utf8.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { JuteError } from '../jute/jute-error.ts'
import { decode } from '../jute/record.ts'
import { authPacketRecord, type AuthPacket } from '../jute/session-records.ts'
import { digestIds } from '../tree/acl.ts'
import type { CloseReason, Connection } from './connection.ts'
import type { ServerConfig } from './server-config.ts'

/** Longest 'user:password', bytes. Ours: it becomes part of ACLs and of every forwarded write. */
const AUTH_BYTES_MAX = 4096

export type AuthRules = Pick<
  ServerConfig,
  'superDigest' | 'digestAuthEnabled' | 'enforcedAuthSchemes' | 'ensembleAuthNames'
>

export interface AuthOutcome {
  /** null: the connection goes without an answer. */
  readonly answer: ErrorCode | null
  readonly closeReason: CloseReason | null
}

const GOOD: AuthOutcome = { answer: ErrorCode.OK, closeReason: null }
const BAD: AuthOutcome = { answer: ErrorCode.AUTHFAILED, closeReason: 'auth_failure' }
const OTHER_ENSEMBLE: AuthOutcome = { answer: null, closeReason: 'failed_handshake' }

export class ClientAuth {
  readonly #rules: AuthRules

  constructor(rules: AuthRules) {
    this.#rules = rules
  }

  /** A13: may this connection ask for anything but authentication? */
  isAdmitted(connection: Connection): boolean {
    const schemes = this.#rules.enforcedAuthSchemes
    if (schemes === undefined || schemes.length === 0) return true
    return connection.authInfo.some(({ scheme }) => schemes.includes(scheme))
  }

  authenticate(connection: Connection, body: Uint8Array): AuthOutcome {
    const packet = readAuthPacket(body)
    switch (packet?.scheme) {
      case 'ip':
        // The address is an id of the connection from the start (A5).
        return GOOD
      case 'digest':
        return this.#digest(connection, packet.auth) ? GOOD : BAD
      case 'ensemble':
        return this.#ensemble(packet.auth)
      default:
        return BAD
    }
  }

  #digest(connection: Connection, auth: Uint8Array | null): boolean {
    const { superDigest = null, digestAuthEnabled = true } = this.#rules
    if (!digestAuthEnabled || auth === null || auth.length > AUTH_BYTES_MAX) return false
    return connection.addAuth(digestIds(auth, superDigest))
  }

  /**
   * A7: no id, but the name of the ensemble that the client means. Without an answer for another
   * one: the client is to try another server, and an error would end its handle.
   */
  #ensemble(name: Uint8Array | null): AuthOutcome {
    const names = this.#rules.ensembleAuthNames
    if (names === undefined || names.length === 0) return BAD
    if (name === null || name.length === 0 || names.includes(decodeUtf8(name))) return GOOD
    return OTHER_ENSEMBLE
  }
}

function readAuthPacket(body: Uint8Array): AuthPacket | null {
  try {
    return decode(authPacketRecord, body, { allowTrailing: true })
  } catch (error) {
    if (error instanceof JuteError) return null
    throw error
  }
}
