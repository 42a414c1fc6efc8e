/** Random faults over a small ensemble, and what must hold whatever happens (T32–T48). */
import { assert } from '../../../src/core/base/assert.ts'
import { epochOf, formatZxid, type Zxid } from '../../../src/core/base/zxid.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import type { QuorumGroup } from '../../../src/core/zab/hierarchical-verifier.ts'
import type { ZabTuning } from '../../../src/core/zab/role.ts'
import type { ZabRules } from '../../../src/core/zab/rules.ts'
import type { Service } from '../../../src/core/zab/replica.ts'
import { Ensemble, type Member } from './ensemble.ts'
import type { Applied, FakeReplica, ReplicaWatcher } from './fake-replica.ts'

/** Entries looked at when a leader's history is checked after each commit; the end checks all. */
const RECENT = 160

export interface RandomRunOptions {
  readonly seed: number
  readonly size?: number
  readonly observers?: number
  readonly groups?: readonly QuorumGroup[]
  readonly tuning?: ZabTuning
  readonly rules?: ZabRules
  /** Sees everything that replicas do, with the member whose they are. */
  readonly witness?: (member: Member) => ReplicaWatcher
}

export class RandomRun {
  readonly ensemble: Ensemble
  /** What leaders committed, as they did. */
  readonly committed: Applied[] = []
  readonly #leaders = new Map<number, number>()
  readonly #witness: RandomRunOptions['witness']
  #writes = 0

  constructor({ seed, size = 3, observers = 0, tuning, ...more }: RandomRunOptions) {
    const { groups, rules, witness } = more
    this.#witness = witness
    this.ensemble = new Ensemble({
      size,
      observers,
      seed,
      ...(groups === undefined ? {} : { groups }),
      ...(tuning === undefined ? {} : { tuning }),
      ...(rules === undefined ? {} : { rules }),
      linkDelayMs: [1, 30],
      diskDelayMs: [1, 40],
      reconnectMs: 100,
      chunkBytes: 200,
      watch: (member) => this.#watcherOf(member),
    })
  }

  run(faultyMs: number): void {
    const { ensemble } = this
    ensemble.startAll()
    const untilMs = ensemble.nowMs + faultyMs
    while (ensemble.nowMs < untilMs) {
      ensemble.run(ensemble.prng.int(60))
      this.#someWrites()
      if (ensemble.prng.bool(0.12)) this.#someFault()
    }
    this.#recover()
  }

  #recover(): void {
    const { ensemble } = this
    for (const member of ensemble.members) {
      member.diskExtraMs = 0
      if (member.isFrozen) ensemble.thaw(member.sid)
      if (member.life === null) ensemble.start(member.sid)
    }
    ensemble.healAll()
    ensemble.runUntil('settled after the faults', () => ensemble.isSettled, 30_000)
    const leader = ensemble.leader!
    ensemble.act(leader, ({ replica }) => replica.propose('last', ensemble.now))
    const isEverywhere = (): boolean =>
      ensemble.members.every(({ replica }) => replica.texts.includes('last'))
    ensemble.runUntil('the last write is everywhere', isEverywhere, 10_000)
    // Requests that were on their way come after it.
    ensemble.run(1000)
    this.#checkEnd()
  }

  #checkEnd(): void {
    const [first, ...others] = this.ensemble.members.map(({ replica }) => replica.history)
    for (const other of others) assert(same(first!, other), 'histories differ')
    const all = new Map(first!.map(({ zxid, text }) => [zxid, text]))
    for (const { zxid, text } of this.committed) {
      assert(all.get(zxid) === text, `committed ${formatZxid(zxid)} is lost`)
    }
  }

  #watcherOf(member: Member): ReplicaWatcher {
    const witness = this.#witness?.(member)
    return {
      onDeliver: (applied, service) => {
        witness?.onDeliver(applied, service)
        this.#onDeliver(applied, service)
      },
      onService: (service) => {
        witness?.onService(service)
        if (service.kind === 'leading') this.#onLeading(member, service.epoch)
      },
      onPropose: (proposed, service) => witness?.onPropose?.(proposed, service),
    }
  }

  /** Leadership2: one leader of an epoch (T34). */
  #onLeading(member: Member, epoch: number): void {
    const other = this.#leaders.get(epoch)
    assert(other === undefined, `epoch ${epoch} has two leaders`)
    this.#leaders.set(epoch, member.sid)
    this.#checkInitialHistory(member.replica)
  }

  #onDeliver(applied: Applied, service: Service): void {
    if (service.kind === 'leading') {
      this.committed.push(applied)
      // An old leader may learn late of acks that it has; the new one must have that entry, too.
      for (const { life } of this.ensemble.members) {
        if (life?.replica.service.kind === 'leading') this.#checkInitialHistory(life.replica)
      }
    } else if (service.kind === 'following' && epochOf(applied.zxid) === service.epoch) {
      const known = this.committed.some(
        ({ zxid, text }) => zxid === applied.zxid && text === applied.text,
      )
      assert(known, `delivered ${formatZxid(applied.zxid)} that no leader committed`)
    }
  }

  /** PrimaryIntegrity: a leader has everything that was ever committed. */
  #checkInitialHistory({ history, service }: FakeReplica): void {
    const epoch = service.kind === 'stopped' ? 0 : service.epoch
    const known = new Set<Zxid>(history.slice(-RECENT).map(({ zxid }) => zxid))
    for (const { zxid } of this.committed.slice(-RECENT / 4)) {
      if (epochOf(zxid) > epoch) continue
      assert(known.has(zxid), `the leader of epoch ${epoch} lacks ${formatZxid(zxid)}`)
    }
  }

  #someWrites(): void {
    const { ensemble } = this
    const member = ensemble.prng.pick(ensemble.members)
    if (member.life === null || member.isFrozen) return
    const count = ensemble.prng.int(5)
    ensemble.act(member, ({ peer, replica }) => {
      for (let i = 0; i < count; i++) {
        if (!peer.status(ensemble.now).isServing) return
        const text = `w${this.#writes++}`
        if (peer.role === 'leading') replica.propose(text, ensemble.now)
        else peer.sendToLeader({ type: PacketType.REQUEST, data: encodeUtf8(text) })
      }
    })
  }

  #someFault(): void {
    const { ensemble } = this
    const { prng } = ensemble
    const member = prng.pick(ensemble.members)
    const { sid } = member
    const kind = prng.int(12)
    if (member.life === null) {
      ensemble.start(sid)
    } else if (kind < 3) {
      ensemble.crash(sid, prng.bool(0.7))
    } else if (kind < 6) {
      const other = prng.pick(ensemble.members.filter((one) => one !== member))
      ensemble.cut(sid, other.sid)
      ensemble.later(prng.int(3000), () => ensemble.heal(sid, other.sid))
    } else if (kind < 8) {
      if (member.isFrozen) return
      ensemble.freeze(sid)
      ensemble.later(prng.int(4000), () => {
        if (member.isFrozen) ensemble.thaw(sid)
      })
    } else if (kind < 9) {
      member.diskExtraMs = prng.int(400)
    } else if (kind < 10) {
      ensemble.act(member, (life) => {
        if (!life.peer.status(ensemble.now).isServing) return
        life.replica.snapshotToDisk(life.out, ensemble.now)
      })
    } else if (kind < 11) {
      const peer = prng.pick(ensemble.members.filter((one) => one !== member)).sid
      ensemble.input(member, { kind: 'suspect', peer })
    } else {
      member.diskExtraMs = 0
    }
  }
}

function same(a: readonly Applied[], b: readonly Applied[]): boolean {
  return a.length === b.length && a.every(({ zxid }, i) => b[i]?.zxid === zxid)
}
