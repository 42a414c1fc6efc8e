// Which founding record a page without a vote believes.
import { describe, expect, test } from 'vitest'
import { generateKeys, incarnationOfKey, signWith } from '../../src/adapters/indexeddb/identity.ts'
import { KnownVoters } from '../../src/browser/known-voters.ts'
import { toServerId, ZXID_NONE } from '../../src/core/base/zxid.ts'
import {
  encodeFoundingRecord,
  foundingBytesToSign,
  sealFoundingRecord,
} from '../../src/core/founding/founding-record.ts'
import { clusterHash, creatorHash } from '../../src/core/founding/key-names.ts'
import type { RoomLink } from '../../src/signaling/room-link.ts'

// As in a page at localhost; Node has no such word.
Object.assign(globalThis, { isSecureContext: true })
const LINK: RoomLink = { room: 'zoo', size: 1, secret: 's', creator: null, cluster: null }

async function founded(room = 'zoo') {
  const keys = await generateKeys()
  const { publicKey } = keys
  const incarnation = incarnationOfKey(publicKey)
  const body = encodeFoundingRecord({
    ...{ clusterId: new Uint8Array(16), room, size: 1, sessionKey: new Uint8Array(32) },
    creatorKey: publicKey,
    members: [{ sid: toServerId(1), incarnation, publicKey }],
    origin: ZXID_NONE,
  })
  const signature = await signWith(keys.privateKey, foundingBytesToSign(body))
  const envelope = sealFoundingRecord(body, signature)
  const [creator, cluster] = [creatorHash(publicKey), clusterHash(body)]
  return { body, envelope, incarnation, creator, cluster }
}

describe('the voters that a client knows', () => {
  test('are those of the record that its link names', async () => {
    const { envelope, incarnation, creator, cluster } = await founded()
    const voters = new KnownVoters({ ...LINK, creator, cluster })
    expect([voters.isKnown, voters.sids]).toEqual([false, []])
    expect(await voters.learn(envelope)).toBe(true)
    expect([voters.sids, voters.sidOf(incarnation), voters.sidOf('other')]).toEqual([[1], 1, null])
    expect([voters.creator, voters.cluster]).toEqual([creator, cluster])
  })

  test('are not believed when forged, of another room or of another creator', async () => {
    const { body, envelope, creator } = await founded()
    const voters = new KnownVoters({ ...LINK, creator })
    expect(await voters.learn(sealFoundingRecord(body, new Uint8Array(64)))).toBe(false)
    expect(await voters.learn(envelope.subarray(1))).toBe(false)
    expect(await voters.learn((await founded('elsewhere')).envelope)).toBe(false)
    expect(await voters.learn((await founded()).envelope)).toBe(false)
    expect(await voters.learn(envelope)).toBe(true)
  })

  test('never change: the first record stays', async () => {
    const [one, other] = [await founded(), await founded()]
    const voters = new KnownVoters(LINK)
    const taken = await Promise.all([voters.learn(one.envelope), voters.learn(other.envelope)])
    expect(taken.filter(Boolean)).toHaveLength(1)
    const { creator } = voters
    await voters.learn(one.envelope)
    await voters.learn(other.envelope)
    expect(voters.creator).toBe(creator)
  })
})
