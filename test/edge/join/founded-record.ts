/** A founding record in which a machine at home founded alone. */
import { randomBytes } from 'node:crypto'
import { toServerId, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import {
  encodeFoundingRecord,
  foundingBytesToSign,
  sealFoundingRecord,
} from '../../../src/core/founding/founding-record.ts'
import { creatorHash } from '../../../src/core/founding/key-names.ts'
import type { MachineHome } from '../../../src/edge/join/machine-home.ts'

export async function foundedRecord({
  identity,
  link,
}: MachineHome): Promise<{ readonly envelope: Uint8Array; readonly creator: string }> {
  const { publicKey, incarnation } = identity
  const body = encodeFoundingRecord({
    clusterId: new Uint8Array(randomBytes(16)),
    sessionKey: new Uint8Array(randomBytes(32)),
    room: link.room,
    size: 1,
    creatorKey: publicKey,
    members: [{ sid: toServerId(1), incarnation, publicKey }],
    origin: ZXID_NONE,
  })
  const signature = await identity.sign(foundingBytesToSign(body))
  return { envelope: sealFoundingRecord(body, signature), creator: creatorHash(publicKey) }
}
