/** Election notifications as bytes, checked on the way in (Q9, Q18). */
import { EMPTY_BYTES } from '../base/bytes.ts'
import { toServerId } from '../base/zxid.ts'
import {
  ELECTION_MESSAGE_MAX,
  NOTIFICATION_VERSION,
  notificationRecord,
  OBSERVER_VOTE,
  ServerState,
} from '../jute/election-records.ts'
import { JuteError } from '../jute/jute-error.ts'
import { decode, encode } from '../jute/record.ts'
import { EPOCH_MAX } from './constants.ts'
import { checkedZxid } from './packets.ts'
import type { Vote, VoteState } from './vote.ts'

export interface Announcement {
  /** null: the sender has no vote and wants to hear who leads. */
  readonly vote: Vote | null
}

const STATES: readonly VoteState[] = ['looking', 'following', 'leading', 'observing']
const SERVER_ID_MAX = 255n
/** Rounds are counted up from 0; nobody reaches this by counting. */
const ELECTION_EPOCH_MAX = 1n << 62n

/** A member that only listens proposes what ZooKeeper's observers do (Q20). */
const LISTENER = {
  state: ServerState.LOOKING,
  leader: OBSERVER_VOTE,
  zxid: OBSERVER_VOTE,
  electionEpoch: 0n,
  peerEpoch: OBSERVER_VOTE,
  version: NOTIFICATION_VERSION,
}

/** `config`: the sender's configuration, which members of ours leave out. */
export function encodeNotification(
  vote: Vote | null,
  config: Uint8Array = EMPTY_BYTES,
): Uint8Array {
  if (vote === null) return encode(notificationRecord, { ...LISTENER, config })
  return encode(notificationRecord, {
    state: stateNumber(vote.state),
    leader: BigInt(vote.leader),
    zxid: vote.zxid,
    electionEpoch: vote.electionEpoch,
    peerEpoch: BigInt(vote.peerEpoch),
    version: NOTIFICATION_VERSION,
    config,
  })
}

/**
 * Throws JuteError when malformed. null: well-formed, and to be ignored, such as the vote of a
 * server with an empty disk (zxid −1, Q18).
 */
export function decodeNotification(bytes: Uint8Array): Announcement | null {
  if (bytes.length > ELECTION_MESSAGE_MAX) throw new JuteError(`vote of ${bytes.length} bytes`)
  const said = decode(notificationRecord, bytes)
  const state = STATES[said.state]
  const { leader, zxid, electionEpoch, peerEpoch } = said
  if (state === 'looking' && leader === OBSERVER_VOTE) return { vote: null }
  if (state === undefined || zxid < 0n || leader < 0n || leader > SERVER_ID_MAX) return null
  if (peerEpoch < 0n || peerEpoch > BigInt(EPOCH_MAX)) return null
  if (electionEpoch < 0n || electionEpoch > ELECTION_EPOCH_MAX) return null
  const vote: Vote = {
    leader: toServerId(Number(leader)),
    zxid: checkedZxid(zxid),
    peerEpoch: Number(peerEpoch),
    electionEpoch,
    state,
  }
  return { vote }
}

function stateNumber(state: VoteState): number {
  switch (state) {
    case 'looking':
      return ServerState.LOOKING
    case 'following':
      return ServerState.FOLLOWING
    case 'leading':
      return ServerState.LEADING
    case 'observing':
      return ServerState.OBSERVING
  }
}
