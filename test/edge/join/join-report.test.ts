// What a joined machine says, to programs and to people, and that it does not repeat itself.
import { expect, it } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import type { MemberStatus } from '../../../src/core/server/member-machine.ts'
import { JoinReport } from '../../../src/edge/join/join-report.ts'
import type { RoomMemberStatus } from '../../../src/runtime/room-options.ts'

const ROOM = { address: new URL('http://h/machine.html?room=a#secret'), signaling: null }

function report(isNewRoom: boolean): {
  readonly report: JoinReport
  readonly lines: unknown[]
  readonly texts: string[]
} {
  const lines: unknown[] = []
  const texts: string[] = []
  const made = new JoinReport({
    home: { room: ROOM, keepNames: (creator, cluster) => `${creator}/${cluster}` },
    isNewRoom,
    broker: 'ws://h/signal',
    onLine: (line) => lines.push(line),
    onText: (text) => texts.push(text),
  })
  made.ports = { clientPort: 2181, adminPort: 8080 }
  return { report: made, lines, texts }
}

const WAITING: RoomMemberStatus = {
  ...{ phase: 'waiting', text: '1 of 3 here', here: 1, size: 3, sid: null, voters: [] },
  ...{ creator: 'c', cluster: null, member: null, disk: null, peers: [] },
}

function running(member: Partial<MemberStatus>, phase: 'member' | 'observer'): RoomMemberStatus {
  const [one, two] = [toServerId(1), toServerId(2)]
  const sid = phase === 'member' ? two : toServerId(4)
  const told = { whyNotServing: null, leader: one, ...member } as MemberStatus
  return { ...WAITING, phase, sid, voters: [one, two], cluster: 'e', member: told }
}

it('the link of a new room at once, and one line when it serves for the first time', () => {
  const { report: said, lines, texts } = report(true)
  expect(lines).toEqual([{ link: ROOM.address.href }])
  said.onStatus(WAITING)
  said.onStatus(
    running({ role: 'following', serving: false, whyNotServing: 'synchronising' }, 'member'),
  )
  expect(lines).toHaveLength(1)
  for (const serving of [true, false, true]) {
    said.onStatus(running({ role: 'following', serving }, 'member'))
  }
  const { pid } = process
  expect(lines.slice(1)).toEqual([
    { sid: 2, pid, clientPort: 2181, adminPort: 8080, role: 'following', link: 'c/e' },
  ])
  expect(texts.slice(1)).toEqual([
    '1 of 3 here',
    'machine 2, following: synchronising',
    'machine 2, following; machine 1 leads',
  ])
})

it('names an observer so, and a leader without its leader', () => {
  const { report: said, texts } = report(false)
  said.onStatus(running({ role: 'observing', serving: true }, 'observer'))
  said.onStatus(running({ role: 'leading', serving: true, leader: toServerId(2) }, 'member'))
  expect(texts).toEqual(['observer 4, observing; machine 1 leads', 'machine 2, leading'])
})

it('a figure that grows is no news, and neither is the broker that stays away', () => {
  const { report: said, texts } = report(false)
  for (const s of [1, 2, 30]) {
    const whyNotServing = `need 2 of 3; machine 1 silent for ${s} s`
    said.onStatus(running({ role: 'looking', serving: false, whyNotServing }, 'member'))
  }
  const waiting = { kind: 'waiting', reason: 'closed (1006)', retryInMs: 200 } as const
  said.onSignaling(waiting)
  said.onSignaling({ kind: 'connecting' })
  said.onSignaling(waiting)
  said.onSignaling({ kind: 'joined' })
  said.onSignaling(waiting)
  const away = 'the signaling server ws://h/signal cannot be reached: closed (1006)'
  expect(texts).toEqual([
    'machine 2, looking: need 2 of 3; machine 1 silent for 1 s',
    ...[away, away],
  ])
})

it('a machine that failed ends, with the reason', async () => {
  const { report: said } = report(false)
  expect(said.failure).toBe(null)
  said.onStatus({ ...WAITING, phase: 'failed', text: 'storage failed (quota): full' })
  await said.failed
  expect(said.failure).toBe('storage failed (quota): full')
})
