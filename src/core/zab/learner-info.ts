/** What a learner says first: who it is and what it accepted (Q25). */
import { epochOf, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import {
  learnerInfoRecord,
  packetName,
  PROTOCOL_VERSION,
  type QuorumPacket,
} from '../jute/quorum-records.ts'
import { decode } from '../jute/record.ts'
import { EPOCH_MAX } from './constants.ts'
import { checkedZxid } from './packets.ts'

export interface CheckedInfo {
  readonly acceptedEpoch: number
  readonly configVersion: bigint
}

/** Throws JuteError for what no learner of that server id sends. */
export function checkedInfo(from: ServerId, packet: QuorumPacket): CheckedInfo {
  const name = packetName(packet.type)
  if (packet.data === null) throw new JuteError(`${name} without data`)
  const { serverid, protocolVersion, configVersion } = decode(learnerInfoRecord, packet.data)
  const acceptedEpoch = epochOf(checkedZxid(packet.zxid))
  if (serverid !== BigInt(from)) throw new JuteError(`${name} of ${serverid}`)
  if (protocolVersion < PROTOCOL_VERSION || acceptedEpoch >= EPOCH_MAX) {
    throw new JuteError(`protocol ${protocolVersion}, epoch ${acceptedEpoch}`)
  }
  return { acceptedEpoch, configVersion }
}
