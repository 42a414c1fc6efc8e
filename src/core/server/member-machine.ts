/**
 * A whole member as one pure state machine: Zab and the ZooKeeper server on one list of effects.
 *
 * `step` handles one input; `takeEffects` hands over, in order, what it asks of the world. An
 * exception that gets this far is a programmer's error or a transaction that this code does not
 * know: whatever the step left behind cannot be trusted, so its effects are dropped as a crash
 * would drop them and the member halts for good.
 */
import { assert } from '../base/assert.ts'
import type { ServerId, Zxid } from '../base/zxid.ts'
import { DataTree } from '../tree/data-tree.ts'
import { TreeSnapshot } from '../tree/snapshot.ts'
import { INIT_LIMIT_TICKS, SYNC_LIMIT_TICKS } from '../zab/constants.ts'
import { SNAPSHOT_CHUNK_BYTES, type Moment, type RecoveredState } from '../zab/effect.ts'
import { EffectList } from '../zab/effect-list.ts'
import { QuorumPeer } from '../zab/quorum-peer.ts'
import type { ZabTuning } from '../zab/role.ts'
import { ZAB_RULES, type ZabRules } from '../zab/rules.ts'
import type { MemberEffect, MemberInput } from './effect.ts'
import { eventsFirst, type MakeEventDelivery } from './event-delivery.ts'
import { memberStatus, type MemberStatus, type PeerType } from './member-status.ts'
import type { ServerConfig } from './server-config.ts'
import { ZooKeeperServer } from './zookeeper-server.ts'

export type { MemberStatus, PeerType, SessionStatus } from './member-status.ts'

export interface MemberConfig extends ServerConfig, ZabTuning {
  readonly voters: readonly ServerId[]
  /** An observer learns and serves, and is in no quorum (Q1, Q7). Default: participant. */
  readonly peerType?: PeerType
  /** See ZabConfig. */
  readonly originZxid?: Zxid
  readonly clusterId: string
  /** Ticks for discovery and synchronisation (Q4). Default 10. */
  readonly initLimitTicks?: number
  /** Ticks that a learner may be silent (Q4). Default 5. */
  readonly syncLimitTicks?: number
  /** See ZabConfig. */
  readonly silenceLimitMs?: number
}

/** The rules that tests replace to prove that their checkers see a broken one. */
export interface MemberRules {
  readonly zab: ZabRules
  readonly makeDelivery: MakeEventDelivery
  /** Not for a replay whose data is masked: digests in it are those of the true data. */
  readonly comparesDigests: boolean
}

export const MEMBER_RULES: MemberRules = {
  zab: ZAB_RULES,
  makeDelivery: eventsFirst,
  comparesDigests: true,
}

export class MemberMachine {
  readonly #config: MemberConfig
  readonly #effects = new EffectList<MemberEffect>()
  readonly #server: ZooKeeperServer
  readonly #peer: QuorumPeer
  #halted: string | null = null

  /** Throws when what storage holds cannot be read: there is no member then. */
  constructor(
    config: MemberConfig,
    recovered: RecoveredState,
    at: Moment,
    rules: MemberRules = MEMBER_RULES,
  ) {
    this.#config = config
    this.#server = new ZooKeeperServer(
      config,
      this.#effects,
      at,
      rules.makeDelivery,
      rules.comparesDigests,
    )
    const { sid, voters, tickTimeMs } = config
    const zabConfig = {
      ...config,
      sid,
      voters,
      isObserver: config.peerType === 'observer',
      ...(config.originZxid === undefined ? {} : { originZxid: config.originZxid }),
      tickTimeMs,
      initLimitTicks: config.initLimitTicks ?? INIT_LIMIT_TICKS,
      syncLimitTicks: config.syncLimitTicks ?? SYNC_LIMIT_TICKS,
      ...(config.silenceLimitMs === undefined ? {} : { silenceLimitMs: config.silenceLimitMs }),
    }
    this.#peer = new QuorumPeer(zabConfig, this.#server, recovered, at, this.#effects, rules.zab)
    this.#server.attach(this.#peer)
  }

  step(input: MemberInput, at: Moment): void {
    if (this.#halted !== null) return
    try {
      this.#handle(input, at)
      this.#server.endStep()
    } catch (error) {
      this.#halt(String(error))
    }
  }

  /** Everything asked for since the last call, in order. */
  takeEffects(): MemberEffect[] {
    return this.#effects.take()
  }

  status(at: Moment): MemberStatus {
    const { sid, clusterId, peerType = 'participant' } = this.#config
    return memberStatus({ sid, clusterId, peerType }, this.#peer, this.#server, this.#halted, at)
  }

  /** For checkers: the state as it is. Not to be changed. */
  get tree(): DataTree {
    return this.#server.tree
  }

  /** For administrators: to be read only. */
  get server(): ZooKeeperServer {
    return this.#server
  }

  #handle(input: MemberInput, at: Moment): void {
    switch (input.kind) {
      case 'client-open':
        this.#peer.advance(at)
        this.#server.clientOpen(input.connection, input.address, at, input.ids)
        break
      case 'client-data':
        // A member that slept has closed this connection by now and hears nothing of it (Q85).
        this.#peer.advance(at)
        this.#server.clientData(input.connection, input.bytes, at)
        break
      case 'client-closed':
        this.#peer.advance(at)
        this.#server.clientClosed(input.connection, at)
        break
      case 'admit-observer':
        this.#peer.advance(at)
        this.#server.admitObserver(input.incarnation, at)
        break
      case 'tick':
        this.#peer.step(input, at)
        this.#server.tick(at)
        break
      default:
        this.#peer.step(input, at)
    }
  }

  #halt(reason: string): void {
    this.#halted = reason
    this.#effects.take()
    this.#effects.push({ kind: 'halt', reason })
  }
}

/** The snapshot that pinning the founding record writes: the empty tree at zxid 0 (P15, Q18). */
export function emptySnapshotChunk(): Uint8Array {
  const chunk = new TreeSnapshot(new DataTree()).next(SNAPSHOT_CHUNK_BYTES)
  assert(chunk !== null, 'an empty tree has a snapshot')
  return chunk
}
