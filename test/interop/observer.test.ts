/**
 * Our observer in a conversation with Apache ZooKeeper 3.8.0: what its leader sent an observer,
 * byte for byte, and what its own observer sent to it (frames/quorum.json, frames/learner.json).
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { PacketType } from '../../src/core/jute/quorum-records.ts'
import { makeZxid } from '../../src/core/base/zxid.ts'
import { encodeFrames } from '../../src/core/zab/frame.ts'
import { decodePacket, encodePacket } from '../../src/core/zab/packets.ts'
import { diskWith, Rig, sid, zxidOf, type SentPacket } from '../core/zab/rig.ts'
import { loadRecording, type Frame } from './frame-file.ts'

const quorum = loadRecording('quorum').frames
const learner = loadRecording('learner').frames

function bytesOf({ name, zxid, data }: SentPacket): string {
  return toHex(encodePacket(PacketType[name as keyof typeof PacketType], zxid, data))
}

/** An observer with the id of Apache's, elected as it would be; the leader is 1. */
function observer(disk = diskWith([])): Rig {
  const rig = new Rig({ sid: 4, observer: true, disk })
  rig.link(1, 2, 3)
  const vote = { leader: sid(1), peerEpoch: 0 }
  rig.vote(1, { ...vote, state: 'leading' })
  rig.vote(2, { ...vote, state: 'following' })
  return rig
}

function first(frames: readonly Frame[], what: string): Frame {
  const found = frames.find((frame) => frame.what === what)
  if (found === undefined) throw new Error(`no ${what} was recorded`)
  return found
}

describe('an observer of ours', () => {
  test('introduces itself in the bytes of an Apache observer', () => {
    const rig = observer()
    const info = rig.sent().find(({ name }) => name === 'OBSERVERINFO')
    expect(bytesOf(info!)).toBe(toHex(first(quorum, 'OBSERVERINFO').bytes))
  })

  test('acknowledges the epoch in them', () => {
    const rig = observer()
    rig.sent()
    const hello = first(quorum, 'LEADERINFO').bytes
    rig.frame(1, encodeFrames('stream', rig.conversation, [hello])[0]!)
    const [ack] = rig.sent()
    expect(bytesOf(ack!)).toBe(toHex(first(quorum, 'ACKEPOCH').bytes))
  })

  test('is brought up to date, informed and pinged by an Apache leader', () => {
    const rig = observer(diskWith(['1.1'], { accepted: 0, current: 0 }))
    const start = learner.findIndex(({ what }) => what === 'OBSERVERINFO')
    const conversation = learner
      .slice(start)
      .filter(({ from, what }) => from === 'leader' && what !== 'TRUNC' && what !== 'SNAP')
    // The recording joins several learners of one leader: of each kind what an observer gets.
    const upToDate = conversation.findIndex(({ what }) => what === 'UPTODATE')
    const informs = conversation.filter(({ what }) => what === 'INFORM')
    const distinct = informs.filter(({ bytes }, i) => {
      return informs.findIndex((other) => toHex(other.bytes) === toHex(bytes)) === i
    })
    const live = [...distinct.slice(0, 2), first(conversation, 'PING')]
    const all = [...conversation.slice(0, upToDate + 1), ...live]
    for (const { bytes } of all) {
      rig.frame(1, encodeFrames('stream', rig.conversation, [bytes])[0]!)
      rig.persist()
    }
    expect(rig.violations).toEqual([])
    expect(rig.peer.status(rig.now)).toMatchObject({ role: 'observing', isServing: true, epoch: 1 })
    expect(rig.disk.log.map(({ zxid }) => zxid)).toEqual(
      [1, 2, 3, 4, 5, 6].map((counter) => makeZxid(1, counter)),
    )
    // What was informed is logged as it came.
    const logged = rig.disk.log.at(-1)
    expect(logged?.entry).toEqual(decodePacket(distinct[1]!.bytes).data)
    expect(rig.sent().at(-1)).toMatchObject({ name: 'PING', zxid: zxidOf('1.4') })
  })
})

test('what our leader informs of has the bytes of what Apache informs of', () => {
  const recorded = first(quorum, 'INFORM').bytes
  const { zxid, data } = decodePacket(recorded)
  expect(toHex(encodePacket(PacketType.INFORM, zxid, data))).toBe(toHex(recorded))
})
