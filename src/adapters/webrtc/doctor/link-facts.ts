/** What one page knows of its connection with one other page. */

import type { PeerId } from '../../../ports/signaling.ts'
import type { IceFacts } from './ice-facts.ts'

/** Who owns the channels: the worker itself, or the page, which relays by a port. */
export type Carrier = 'channel' | 'port'

/** How far an attempt came: no channel yet, the peer not verified yet, in use. */
export const LINK_STAGES = ['ice', 'handshake', 'open'] as const
export type LinkStage = (typeof LINK_STAGES)[number]

export interface ConnectionFacts {
  readonly stage: LinkStage
  readonly carrier: Carrier
  readonly ice: IceFacts | null
}

export interface LinkEnd extends ConnectionFacts {
  /** For people; begins with a code when one side refused (RefusalCode). */
  readonly reason: string
  readonly agoMs: number
}

export interface LinkFacts {
  readonly peerId: PeerId
  readonly state: 'absent' | 'waiting' | 'connecting' | 'connected'
  readonly linkId: string | null
  readonly reason: string | null
  /** This page makes the offers. */
  readonly isInitiator: boolean
  /** Connections tried in this page life. */
  readonly attempts: number
  readonly upForMs: number | null
  readonly current: ConnectionFacts | null
  /** The attempt before the present one. */
  readonly lastEnd: LinkEnd | null
}
