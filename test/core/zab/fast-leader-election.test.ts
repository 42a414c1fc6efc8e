// The rules of the election, one by one (Q10–Q23, T22).
import { describe, expect, test } from 'vitest'
import type { ServerId } from '../../../src/core/base/zxid.ts'
import { FastLeaderElection } from '../../../src/core/zab/fast-leader-election.ts'
import { MajorityVerifier } from '../../../src/core/zab/quorum-verifier.ts'
import type { Vote, VoteState } from '../../../src/core/zab/vote.ts'
import { sid, zxidOf } from './rig.ts'

/** Server 2 of `size`, with history "1.5" of epoch 1; all others are linked. */
class Booth {
  readonly linked: ServerId[]
  readonly said: { to: number; vote: Vote | null }[] = []
  readonly elected: Vote[] = []
  readonly election: FastLeaderElection
  nowMs = 0

  constructor(size = 3, linked?: readonly number[], origin = '0.0') {
    const others = Array.from({ length: size }, (_, i) => i + 1).filter((n) => n !== 2)
    this.linked = (linked ?? others).map(sid)
    this.election = new FastLeaderElection({
      sid: sid(2),
      verifier: new MajorityVerifier([...others, 2].map(sid)),
      isObserver: false,
      originZxid: zxidOf(origin),
      linkedVoters: () => this.linked,
      notify: (to, vote) => this.said.push({ to, vote }),
      onProposal: () => undefined,
      onElected: (vote) => this.elected.push(vote),
    })
  }

  start(): this {
    this.election.start({ leader: sid(2), zxid: zxidOf('1.5'), peerEpoch: 1 }, this.nowMs)
    return this
  }

  listen(): this {
    this.election.start(null, this.nowMs)
    return this
  }

  hear(from: number, leader: number, vote: Partial<Vote> = {}): void {
    const whole: Vote = {
      leader: sid(leader),
      zxid: zxidOf('1.5'),
      peerEpoch: 1,
      electionEpoch: 1n,
      state: 'looking',
      ...vote,
    }
    this.election.onNotification(sid(from), { vote: whole }, this.nowMs)
  }

  wait(ms: number): void {
    this.nowMs += ms
    this.election.onTime(this.nowMs)
  }

  get proposal(): string {
    const { leader, electionEpoch } = this.election.vote
    return `${leader} in round ${electionEpoch}`
  }

  /** Whom it told since the last call: "1:2" = told 1 to vote for 2. */
  told(): string {
    return this.said
      .splice(0)
      .map(({ to, vote }) => `${to}:${vote?.leader ?? '-'}`)
      .join(' ')
  }
}

describe('a member that looks', () => {
  test('votes for itself in a new round and tells everybody (Q11)', () => {
    const booth = new Booth().start()
    expect(booth.proposal).toBe('2 in round 1')
    expect(booth.told()).toBe('1:2 3:2')
    booth.start()
    expect(booth.proposal).toBe('2 in round 2')
  })

  test('adopts a better vote of its round and passes it on', () => {
    const booth = new Booth().start()
    booth.told()
    booth.hear(3, 3)
    expect(booth.proposal).toBe('3 in round 1')
    expect(booth.told()).toBe('1:3 3:3')
  })

  test('records a worse vote and says nothing', () => {
    const booth = new Booth(5).start()
    booth.told()
    booth.hear(1, 1)
    expect(booth.proposal).toBe('2 in round 1')
    expect(booth.told()).toBe('')
  })

  test('in a newer round its own vote competes, not what it had adopted (Q12)', () => {
    const booth = new Booth(5).start()
    booth.hear(5, 5, { zxid: zxidOf('1.9') })
    expect(booth.proposal).toBe('5 in round 1')
    // Worse than what it adopted, better than its own: 5 may be gone in the new round.
    booth.hear(4, 4, { zxid: zxidOf('1.7'), electionEpoch: 3n })
    expect(booth.proposal).toBe('4 in round 3')
    booth.hear(1, 1, { zxid: zxidOf('1.1'), electionEpoch: 4n })
    expect(booth.proposal).toBe('2 in round 4')
  })

  test('tells a member that is behind where it is, and does not count it', () => {
    const booth = new Booth().start().start()
    booth.told()
    booth.hear(3, 3, { electionEpoch: 1n })
    expect(booth.proposal).toBe('2 in round 2')
    expect(booth.told()).toBe('3:2')
  })

  test('does not adopt a leader that it cannot reach', () => {
    const booth = new Booth(5, [1, 3, 4]).start()
    booth.hear(3, 5, { zxid: zxidOf('1.9') })
    expect(booth.proposal).toBe('2 in round 1')
  })

  test('ignores votes from and for those who are no voters (Q19)', () => {
    const booth = new Booth().start()
    booth.told()
    booth.hear(3, 9, { zxid: zxidOf('9.9') })
    expect(booth.proposal).toBe('2 in round 1')
    booth.hear(9, 3, { zxid: zxidOf('9.9') })
    expect(booth.proposal).toBe('2 in round 1')
    expect(booth.told()).toBe('9:2')
  })

  test('repeats itself ever more slowly, and quickly again after any change of links (Q17)', () => {
    const booth = new Booth().start()
    booth.told()
    const gaps: number[] = []
    let last = booth.nowMs
    while (gaps.length < 6) {
      booth.wait(50)
      if (booth.told() === '') continue
      gaps.push(booth.nowMs - last)
      last = booth.nowMs
    }
    expect(gaps).toEqual([200, 400, 800, 1600, 1600, 1600])
    booth.election.onLinkUp(sid(1), booth.nowMs)
    expect(booth.told()).toBe('1:2')
    booth.wait(200)
    expect(booth.told()).toBe('1:2 3:2')
  })

  test('begins a new round when the leader that it proposes is gone', () => {
    const booth = new Booth(5).start()
    booth.hear(5, 5)
    booth.hear(4, 5)
    booth.linked.pop()
    booth.election.onLinkDown(sid(5), booth.nowMs)
    expect(booth.proposal).toBe('2 in round 2')
  })
})

describe('a decision', () => {
  test('comes at once when everybody who is linked agrees', () => {
    const booth = new Booth().start()
    booth.hear(3, 3)
    expect(booth.elected).toEqual([])
    booth.hear(1, 3)
    expect(booth.elected).toMatchObject([{ leader: 3, state: 'following' }])
  })

  test('is never for one who lacks the beginning of the history', () => {
    const booth = new Booth(3, undefined, '7.1').start()
    booth.hear(3, 2)
    booth.hear(1, 2)
    booth.wait(1_000)
    expect(booth.elected).toEqual([])
    const brought = { zxid: zxidOf('7.1'), peerEpoch: 7 }
    booth.hear(1, 1, brought)
    booth.hear(3, 1, brought)
    expect(booth.elected.map(({ leader }) => leader)).toEqual([1])
  })

  test('comes at once when the only one who is missing is not linked', () => {
    const booth = new Booth(3, [1]).start()
    booth.hear(1, 2)
    expect(booth.elected).toMatchObject([{ leader: 2, state: 'leading' }])
  })

  test('waits 200 ms for a better vote when somebody has not agreed (Q14)', () => {
    const booth = new Booth(3).start()
    booth.hear(3, 3)
    booth.wait(199)
    expect(booth.elected).toEqual([])
    booth.wait(1)
    expect(booth.elected).toMatchObject([{ leader: 3 }])
  })

  test('waits anew for a better vote', () => {
    const booth = new Booth(5).start()
    booth.hear(3, 3)
    booth.hear(1, 3)
    booth.wait(150)
    booth.hear(4, 4)
    booth.wait(150)
    expect(booth.elected).toEqual([])
    booth.hear(3, 4)
    booth.hear(1, 4)
    booth.wait(200)
    expect(booth.elected).toMatchObject([{ leader: 4 }])
  })

  test('needs the votes of members that are still linked', () => {
    const booth = new Booth(5).start()
    booth.hear(1, 2)
    booth.election.onLinkDown(sid(1), booth.nowMs)
    booth.hear(3, 2)
    booth.wait(300)
    expect(booth.elected).toEqual([])
  })
})

describe('joining an established ensemble (Q15)', () => {
  const settled = (state: VoteState, round = 7n): Partial<Vote> => ({ state, electionEpoch: round })

  test('needs a quorum and the leader itself', () => {
    const booth = new Booth(5).start()
    booth.hear(1, 5, settled('following'))
    booth.hear(3, 5, settled('following'))
    booth.hear(4, 5, settled('following'))
    expect(booth.elected).toEqual([])
    booth.hear(5, 5, settled('leading'))
    expect(booth.elected).toMatchObject([{ leader: 5, state: 'following', electionEpoch: 7n }])
  })

  test('does not need the same round or zxid from all, only the same epoch (Q16)', () => {
    const booth = new Booth(3).start()
    booth.hear(1, 3, { ...settled('following', 9n), zxid: zxidOf('1.1') })
    booth.hear(3, 3, { ...settled('leading', 7n), peerEpoch: 2 })
    expect(booth.elected).toEqual([])
    booth.hear(1, 3, { ...settled('following', 9n), peerEpoch: 2 })
    expect(booth.elected).toMatchObject([{ leader: 3, peerEpoch: 2 }])
  })

  test('a leader alone is not enough', () => {
    const booth = new Booth(3).start()
    booth.hear(3, 3, settled('leading'))
    expect(booth.elected).toEqual([])
  })

  test('others that name this member mean it only in its own round', () => {
    const booth = new Booth(5).start().start()
    booth.hear(1, 2, settled('following', 1n))
    booth.hear(3, 2, settled('following', 1n))
    booth.hear(4, 2, settled('following', 1n))
    expect(booth.elected).toEqual([])
    for (const from of [1, 3, 4]) booth.hear(from, 2, settled('following', 2n))
    expect(booth.elected).toMatchObject([{ leader: 2, state: 'leading' }])
  })

  test('votes of looking and settled members of one round count together', () => {
    const booth = new Booth(5).start()
    booth.hear(4, 4)
    booth.hear(1, 4)
    booth.hear(3, 4, settled('following', 1n))
    booth.hear(4, 4, settled('leading', 1n))
    expect(booth.elected).toMatchObject([{ leader: 4 }])
  })
})

describe('a member that has a leader', () => {
  function settledBooth(): Booth {
    const booth = new Booth().start()
    booth.hear(3, 3)
    booth.hear(1, 3)
    booth.told()
    return booth
  }

  test('answers who looks with its vote (Q22), and who does not with nothing', () => {
    const booth = settledBooth()
    booth.hear(1, 1, { electionEpoch: 9n })
    expect(booth.told()).toBe('1:3')
    expect(booth.election.vote.state).toBe('following')
    booth.hear(1, 3, { state: 'following' })
    expect(booth.told()).toBe('')
  })

  test('reports the new epoch, and tells who still looks (Q23)', () => {
    const booth = settledBooth()
    booth.hear(1, 1, { electionEpoch: 9n })
    booth.told()
    booth.election.settle(2)
    expect(booth.said).toMatchObject([{ to: 1, vote: { leader: 3, peerEpoch: 2 } }])
  })

  test('remembers who noticed first that the leader is gone', () => {
    const booth = settledBooth()
    booth.hear(1, 1, { electionEpoch: 2n })
    booth.election.pause()
    booth.linked.pop()
    booth.start()
    // Its own vote beats the one it heard while it followed; both are in round 2.
    expect(booth.proposal).toBe('2 in round 2')
    booth.hear(1, 2, { electionEpoch: 2n })
    expect(booth.elected.at(-1)).toMatchObject({ leader: 2, state: 'leading' })
  })

  test('says nothing while it waits for its disk, and judges what came when it looks', () => {
    const booth = new Booth()
    booth.hear(3, 3)
    booth.hear(1, 3)
    expect(booth.told()).toBe('')
    booth.start()
    expect(booth.elected).toMatchObject([{ leader: 3 }])
  })
})

describe('a member that may not vote (faults row 18)', () => {
  const following: Partial<Vote> = { state: 'following', electionEpoch: 7n }
  const leading: Partial<Vote> = { state: 'leading', electionEpoch: 7n }

  test('asks without a vote, again and again and on every new link', () => {
    const booth = new Booth().listen()
    expect(booth.told()).toBe('1:- 3:-')
    booth.wait(200)
    expect(booth.told()).toBe('1:- 3:-')
    booth.election.onLinkUp(sid(3), booth.nowMs)
    expect(booth.told()).toBe('3:-')
  })

  test('adopts nothing and decides nothing, whoever looks', () => {
    const booth = new Booth().listen()
    booth.told()
    for (const round of [1n, 5n]) {
      booth.hear(1, 3, { electionEpoch: round })
      booth.hear(3, 3, { electionEpoch: round })
      booth.hear(1, 2, { electionEpoch: round })
      booth.hear(3, 2, { electionEpoch: round })
    }
    booth.wait(150)
    expect(booth.told()).toBe('')
    booth.election.onLinkDown(sid(3), booth.nowMs)
    booth.wait(1000)
    expect(booth.elected).toEqual([])
    expect(booth.told()).toBe('1:- 3:-')
  })

  test('follows a leader that a quorum without it has', () => {
    const booth = new Booth().listen()
    booth.hear(3, 3, leading)
    expect(booth.elected).toEqual([])
    booth.hear(1, 3, following)
    expect(booth.elected).toMatchObject([{ leader: 3, state: 'following' }])
    booth.told()
    booth.hear(1, 1, { electionEpoch: 8n })
    expect(booth.told()).toBe('1:3')
  })

  test('is never the leader that others think it is', () => {
    const booth = new Booth().listen()
    for (const from of [1, 3]) booth.hear(from, 2, { state: 'following', electionEpoch: 0n })
    expect(booth.elected).toEqual([])
  })

  test('is told who leads at once, or as soon as somebody does', () => {
    const booth = new Booth().start()
    booth.told()
    booth.election.onNotification(sid(1), { vote: null }, booth.nowMs)
    expect(booth.told()).toBe('')
    booth.hear(3, 3)
    booth.wait(200)
    booth.told()
    booth.election.settle(2)
    expect(booth.told()).toBe('1:3')
    booth.election.onNotification(sid(1), { vote: null }, booth.nowMs)
    expect(booth.told()).toBe('1:3')
  })

  test('does not make up a quorum', () => {
    const booth = new Booth().start()
    booth.election.onNotification(sid(1), { vote: null }, booth.nowMs)
    booth.election.onNotification(sid(3), { vote: null }, booth.nowMs)
    booth.wait(1000)
    expect(booth.elected).toEqual([])
  })
})
