// A learner counts what it asks for: who hears it notices what came twice, late or never.
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { PacketType, type QuorumPacket } from '../../../src/core/jute/quorum-records.ts'
import { decodeFrame } from '../../../src/core/zab/frame.ts'
import { LearnerHandler } from '../../../src/core/zab/learner-handler.ts'
import { decodePacket, isCounted } from '../../../src/core/zab/packets.ts'
import type { RoleContext } from '../../../src/core/zab/role.ts'
import { Ensemble } from './ensemble.ts'

const LEARNER = toServerId(2)

function hears(...numbers: readonly bigint[]): void {
  const handler = new LearnerHandler({} as RoleContext, LEARNER, 1, false, 0)
  for (const zxid of numbers) {
    const packet: QuorumPacket = { type: PacketType.REQUEST, zxid, data: null, authinfo: null }
    expect(handler.asked(packet)).toMatchObject({ type: PacketType.REQUEST, conversation: 1 })
  }
}

describe('the requests of a learner', () => {
  test('are numbered from 1 on as it sends them', () => {
    const ensemble = new Ensemble({ size: 3 })
    ensemble.startAll()
    ensemble.runUntil('settled', () => ensemble.isSettled)
    const numbers: bigint[] = []
    ensemble.onFrame = (from, _to, bytes) => {
      const { lane, packets } = decodeFrame(bytes)
      if (from !== LEARNER || lane !== 'request') return
      const requests = packets.map(decodePacket).filter(({ type }) => isCounted(type))
      numbers.push(...requests.map(({ zxid }) => zxid))
    }
    for (const text of ['a', 'b', 'c']) {
      const packet = { type: PacketType.REQUEST, data: encodeUtf8(text) }
      ensemble.act(ensemble.member(LEARNER), ({ peer }) => peer.sendToLeader(packet))
    }
    ensemble.run(50)
    expect(numbers).toEqual([1n, 2n, 3n])
    expect(ensemble.member(LEARNER).replica.texts).toEqual(['a', 'b', 'c'])
  })

  test('come one after the other', () => {
    expect(() => hears(1n, 2n, 3n)).not.toThrow()
  })

  test.each([
    ['twice', [1n, 2n, 2n], 'request 2 in place of 3'],
    ['in another order', [1n, 3n], 'request 3 in place of 2'],
    ['without the first', [2n], 'request 2 in place of 1'],
  ])('or they came %s', (_how, numbers, said) => {
    expect(() => hears(...numbers)).toThrow(said)
  })

  test('are not counted by Apache ZooKeeper, nor by older tabs', () => {
    expect(() => hears(-1n, -1n, -1n)).not.toThrow()
  })

  test('of touched sessions may come twice', () => {
    const handler = new LearnerHandler({} as RoleContext, LEARNER, 1, false, 0)
    const ping: QuorumPacket = { type: PacketType.PING, zxid: 7n, data: null, authinfo: null }
    for (let i = 0; i < 2; i++) expect(handler.asked(ping).type).toBe(PacketType.PING)
  })
})
