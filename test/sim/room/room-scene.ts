/** What one machine of a room finds around it. */
import type { ServerId } from '../../../src/core/base/zxid.ts'
import type { SignedFoundingRecord } from '../../../src/core/founding/founding-record.ts'
import type { SimContext } from '../sim-context.ts'
import type { SimHost } from '../sim-host.ts'
import type { RoomNetwork } from './room-network.ts'

/** Whom the founding rules let begin. */
export interface Sitter {
  readonly name: string
  readonly incarnation: string
  readonly publicKey: Uint8Array
  /** The record on its disk. */
  readonly founding: Uint8Array | null
  /** It becomes the machine of this voter. */
  takes(host: SimHost): void
}

export interface RoomScene {
  readonly context: SimContext
  readonly network: RoomNetwork
  readonly size: number
  /** CREATOR of the link. */
  readonly creatorName: string
  pinned(incarnation: string, signed: SignedFoundingRecord): void
  starts(sitter: Sitter, sid: ServerId | null, signed: SignedFoundingRecord): void
}
