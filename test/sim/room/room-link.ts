/**
 * One end of a link between two pages of a room, from the handshake on: what arrives before this
 * side has verified the other one waits, as page messages do.
 */
import type { ServerId } from '../../../src/core/base/zxid.ts'

/** Who has such links, and is told what comes by them. */
export interface RoomPage {
  readonly number: number
  readonly incarnation: string
  readonly life: number
  readonly isOpen: boolean
  readonly isPaused: boolean
  /** Its seat, once it has one. */
  readonly host: { readonly sid: ServerId } | null
  /** The newest link to each peer, by its incarnation. */
  readonly ends: Map<string, RoomEnd>
  readonly hello: RoomHello
  /** The other side is who it says. False: it is refused. */
  admits(hello: RoomHello): boolean
  received(from: string, envelope: Uint8Array): void
  left(incarnation: string): void
  /** One task of its event loop. */
  task(run: () => void): void
}

export class RoomEnd {
  readonly owner: RoomPage
  readonly peer: RoomPage
  /** Of the peer as it was when the link was made: a wiped machine is another one. */
  readonly peerName: string
  other: RoomEnd | null = null
  isClosed = false
  isAdmitted = false
  early: Uint8Array[] = []
  /** A message was lost on the way out: nothing after it arrives either (Q82). */
  isBroken = false
  lastArrivalMs = 0

  constructor(owner: RoomPage, peer: RoomPage) {
    this.owner = owner
    this.peer = peer
    this.peerName = peer.incarnation
  }
}

/** What the pages tell each other of their machines, as it was when the link was made. */
export interface RoomHello {
  readonly incarnation: string
  readonly publicKey: Uint8Array
  readonly founding: Uint8Array | null
  readonly startChain: readonly string[]
}
