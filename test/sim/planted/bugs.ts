/** The bugs, put in through the seams that the core keeps for it (src/core/zab/rules.ts). */
import { toServerId } from '../../../src/core/base/zxid.ts'
import type { EventType } from '../../../src/core/jute/event-type.ts'
import { EventsFirst, type SendTo } from '../../../src/core/server/event-delivery.ts'
import { chooseSync, planFrom } from '../../../src/core/zab/synchronization.ts'
import type { PlantedBug } from './planted-bug.ts'
import { REQUEST_BUGS } from './request-bugs.ts'
import { WATCH_BUGS } from './watch-bugs.ts'
import { ZAB_BUGS } from './zab-bugs.ts'

/** Events wait until the reply is out: the client sees the change first (N19). */
class EventsLast extends EventsFirst {
  #waiting: (() => void)[] = []

  constructor(send: SendTo) {
    super(send)
  }

  override event(watcher: number, type: EventType, path: string, zxid: bigint): void {
    this.#waiting.push(() => super.event(watcher, type, path, zxid))
  }

  override settled(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const send of waiting) send()
  }
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'own-ack-before-persist',
    what: 'a leader counts its own ack when it emits the append, not when that is durable (Q43)',
    foundBy: ['CommittedOnMajority'],
    zabRules: { ownAcked: (tail) => tail.lastLogged },
  },
  {
    name: 'epoch-before-log',
    what: 'a learner writes currentEpoch before the entries that it vouches for (ZOOKEEPER-4643)',
    foundBy: ['AckImpliesDurable', 'EpochImpliesHistory'],
    zabRules: { writesAtSyncStart: (epoch) => [{ kind: 'current-epoch', epoch }] },
  },
  {
    name: 'sync-ack-before-log',
    what: 'a learner acks NEWLEADER before its disk has the history (ZOOKEEPER-3911, 4646, 4785)',
    foundBy: ['AckImpliesDurable'],
    zabRules: { acksSync: 'now' },
  },
  {
    name: 'gap-at-hand-over',
    what: 'proposals in flight are left out when a learner joins the live stream (Q34, Q37)',
    foundBy: ['LogMatching'],
    // A learner that checks continuity only begins anew, so that check is out of order as well.
    zabRules: { handOver: () => [], follows: (previous, next) => next > previous },
  },
  {
    name: 'hand-over-alone',
    what: 'as gap-at-hand-over, where learners notice the gap and begin anew',
    foundBy: ['ShouldNotBeTriggered'],
    zabRules: { handOver: () => [] },
  },
  {
    name: 'missing-trunc',
    what: 'a learner with entries that nobody committed keeps them (Q30)',
    foundBy: ['CommittedOnMajority', 'LogMatching'],
    alsoFoundBy: ['PrefixConsistency'],
    zabRules: {
      chooseSync: (log, learner) => {
        const plan = chooseSync(log, learner)
        return plan.mode === 'TRUNC' ? { mode: 'DIFF', from: plan.from } : plan
      },
    },
  },
  {
    name: 'log-without-trunc',
    what: 'as missing-trunc, where the common point is found in the log on disk',
    foundBy: ['CommittedOnMajority', 'LogMatching'],
    zabRules: {
      planFromLog: (common, learner) => {
        const plan = planFrom(common, learner)
        return plan.mode === 'TRUNC' ? { mode: 'DIFF', from: plan.from } : plan
      },
    },
  },
  {
    name: 'inform-before-commit',
    what: 'observers are informed of what is proposed, not of what is committed (Q44)',
    foundBy: ['CommittedOnMajority'],
    zabRules: { informsAt: 'proposal' },
  },
  {
    name: 'observer-counts',
    what: 'a leader takes an observer for a voter when it looks for its quorum (Q7, Q38)',
    // Rare, and mostly harmless: observers acknowledge no proposal, so what they count for is the
    // epoch. A leader that has none but them goes on without voters, and service does not resume.
    foundBy: ['Leadership2', 'CommittedOnMajority', 'ServiceResumes'],
    zabRules: { countsAs: (peer, isObserver) => (isObserver ? toServerId(1) : peer) },
  },
  {
    name: 'watch-after-change',
    what: 'a watch event leaves after the reply that shows the change (N19, N20)',
    foundBy: ['WatchOrder'],
    delivery: (send) => new EventsLast(send),
  },
  {
    name: 'wiped-voter',
    what: 'a member whose storage was wiped votes again under its old id (Q18, Q84)',
    foundBy: ['WordIsKept'],
    refoundsWiped: true,
  },
  {
    name: 'rolled-back-voter',
    what: 'peers take a member back whose storage is older than what they have seen of it',
    foundBy: ['WordIsKept'],
    admitsRolledBack: true,
  },
  {
    name: 'forgets-origin',
    what: 'members elect who has less than the copy with which their ensemble began',
    foundBy: ['PrimaryIntegrity'],
    forgetsOrigin: true,
  },
  {
    name: 'everyone-creates',
    what: 'each page of a room writes a founding record, not only the one that made the link',
    foundBy: ['OneEnsemble'],
    alsoFoundBy: ['FoundingCompletes'],
    everyoneCreates: true,
  },
  {
    name: 'record-before-disk',
    what: 'a page spreads the founding record before its own disk has it',
    foundBy: ['RecordIsDurable'],
    pinsLater: true,
  },
  {
    name: 'free-seat',
    what: 'a machine that the founding record does not list takes a seat that is free yet',
    foundBy: ['SeatIsTheKeys'],
    takesFreeSeat: true,
  },
  {
    name: 'torn-tail-votes',
    what: 'a member that lost acknowledged entries votes before a leader synchronised it',
    foundBy: ['WordIsKept'],
    zabRules: { lostTail: () => 0 },
  },
  {
    name: 'thawed-leader',
    what: 'a member that slept answers what waited for it (Q85)',
    foundBy: ['ThawedIsSilent'],
    zabRules: { hasSlept: () => false },
  },
  ...REQUEST_BUGS,
  ...WATCH_BUGS,
  ...ZAB_BUGS,
]
