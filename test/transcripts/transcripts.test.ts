// Whole conversations to be read. A change of the protocol shows here as a change of a text; look
// at it, then let vitest write it anew with -u.
import { describe, expect, test } from 'vitest'
import { Transcript } from './transcript.ts'

describe('transcripts', () => {
  test('three members meet, elect and write', async () => {
    const t = new Transcript()
    t.say('three empty members')
    t.ensemble.startAll()
    t.settle()
    t.say('two writes in one step')
    t.write('a', 'b')
    t.state()
    await expect(t.text).toMatchFileSnapshot('elect-and-write.txt')
  })

  test('the leader crashes and comes back: DIFF', async () => {
    const t = new Transcript()
    t.begin()
    t.say('a is on every disk; then machine 3 closes')
    t.write('a')
    t.ensemble.crash(3)
    t.settle()
    t.say('b, without machine 3')
    t.write('b')
    t.say('machine 3 again')
    t.ensemble.start(3)
    t.settle()
    t.state()
    await expect(t.text).toMatchFileSnapshot('leader-crash-diff.txt')
  })

  test('a write that only the old leader has is cut: TRUNC', async () => {
    const t = new Transcript()
    t.begin()
    t.write('a')
    t.say('machine 3 is cut off and writes x to its own disk only')
    t.ensemble.act(t.ensemble.member(3), ({ replica }) => {
      replica.propose('x', t.ensemble.now)
      t.ensemble.cut(1, 3)
      t.ensemble.cut(2, 3)
    })
    t.ensemble.run(300)
    t.say('the others go on with b')
    t.write('b')
    t.state()
    t.say('the links heal')
    t.ensemble.healAll()
    t.settle()
    t.state()
    await expect(t.text).toMatchFileSnapshot('old-leader-trunc.txt')
  })

  test('a member that was away too long: SNAP', async () => {
    const t = new Transcript()
    t.begin()
    t.ensemble.crash(1)
    t.say('500 entries and their snapshot, while machine 1 is away')
    t.ensemble.run(30)
    const { ensemble } = t
    ensemble.onFrame = () => undefined
    ensemble.onBatch = () => undefined
    for (let i = 0; i < 51; i++) t.write(...Array.from({ length: 10 }, (_, n) => `w${i * 10 + n}`))
    const again = new Transcript({ chunkBytes: 4000 })
    for (const { sid, disk } of ensemble.members)
      Object.assign(again.ensemble.member(sid).disk, disk)
    again.say('all start again')
    again.ensemble.startAll()
    again.settle()
    const sizes = again.ensemble.members.map(({ replica }) => replica.texts.length)
    expect(sizes).toEqual([510, 510, 510])
    await expect(again.text).toMatchFileSnapshot('long-away-snap.txt')
  })

  test('a frozen leader thaws', async () => {
    const t = new Transcript()
    t.begin()
    t.write('a')
    t.say('machine 3 freezes')
    t.ensemble.freeze(3)
    t.ensemble.runUntil('failover', () => t.ensemble.member(2).replica.service.kind === 'leading')
    t.ensemble.run(100)
    t.say('b is proposed to the new leader')
    t.ensemble.act(t.ensemble.member(2), ({ replica }) => replica.propose('b', t.ensemble.now))
    t.ensemble.run(30)
    t.say('machine 3 thaws')
    t.ensemble.thaw(3)
    t.settle()
    t.state()
    await expect(t.text).toMatchFileSnapshot('thawed-leader.txt')
  })
})
