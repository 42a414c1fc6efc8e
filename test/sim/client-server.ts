/** The two ends of a client connection, as they see each other. */
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { ConnectionId } from '../../src/core/server/effect.ts'

/** One client connection, as the server sees it. */
export interface ClientEnd {
  receive(bytes: Uint8Array): void
  closed(reason: string): void
}

/** A server, as its clients see it. */
export interface ClientServer {
  readonly sid: ServerId
  readonly name: string
  readonly life: number
  readonly isUp: boolean
  clientOpen(client: ClientEnd): ConnectionId | null
  clientData(connection: ConnectionId, bytes: Uint8Array): void
  clientClosed(connection: ConnectionId): void
}
