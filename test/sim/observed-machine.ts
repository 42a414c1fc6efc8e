/**
 * The real machine of a host. What its replica is told and what it asks of the disk is told to the
 * probe as well, in that order: the listeners sit on the prototypes of ZooKeeperServer and
 * EffectList, so the product needs no hook and runs exactly as it is.
 */
import { isPersistEffect, type Moment, type RecoveredState } from '../../src/core/zab/effect.ts'
import type { ServerId } from '../../src/core/base/zxid.ts'
import { TICK_TIME_MS } from '../../src/core/zab/constants.ts'
import { EffectList } from '../../src/core/zab/effect-list.ts'
import {
  MemberMachine,
  MEMBER_RULES,
  type MemberConfig,
} from '../../src/core/server/member-machine.ts'
import type { MemberEffect, MemberInput } from '../../src/core/server/effect.ts'
import { ZooKeeperServer } from '../../src/core/server/zookeeper-server.ts'
import { ZAB_RULES } from '../../src/core/zab/rules.ts'
import { memberConfig } from '../../src/runtime/member-config.ts'
import type { HostView } from './host-view.ts'
import type { Probe } from './probe.ts'
import type { SimContext } from './sim-context.ts'

/** Whose machine it is, and who is told. */
export interface Observed {
  readonly host: HostView
  readonly probe: Probe
}

/** Whose machine runs: one at a time, since nothing here is asynchronous. */
let current: Observed | null = null

const { deliver, restore, onService } = ZooKeeperServer.prototype
const { push } = EffectList.prototype

EffectList.prototype.push = function (effect: MemberEffect) {
  push.call(this, effect)
  if (current === null || !isPersistEffect(effect)) return
  current.probe.emit('emitted', { host: current.host, effect })
}

ZooKeeperServer.prototype.deliver = function (entry, at) {
  deliver.call(this, entry, at)
  if (current === null) return
  current.probe.emit('delivered', { host: current.host, entry, serving: this.isServing })
}

ZooKeeperServer.prototype.restore = function (snapshot, log) {
  restore.call(this, snapshot, log)
  if (current === null) return
  current.probe.emit('restored', { host: current.host, last: this.lastProcessed() })
}

ZooKeeperServer.prototype.onService = function (service, at) {
  // Before it begins: what serving shows at once counts as shown.
  const last = this.lastProcessed()
  current?.probe.emit('service', { host: current.host, service, last })
  onService.call(this, service, at)
}

/** Makes the machine of this host, observed. */
export function asHost(observed: Observed, run: () => void): void {
  const outer = current
  current = observed
  try {
    run()
  } finally {
    current = outer
  }
}

/** The same for its steps: nearly all that a run does, so nothing is made for one. */
export function stepAsHost(
  observed: Observed,
  machine: MemberMachine,
  input: MemberInput,
  at: Moment,
): void {
  const outer = current
  current = observed
  try {
    machine.step(input, at)
  } finally {
    current = outer
  }
}

export interface MachineOwner {
  readonly sid: ServerId
  readonly isObserver: boolean
  readonly sessionBase: bigint | null
}

/** To be called inside `asHost`. `seed` must differ from life to life. */
export function makeMachine(
  { sids, sessionKey, draw, planted, origin, founded }: SimContext,
  { sid, isObserver, sessionBase }: MachineOwner,
  recovered: RecoveredState,
  at: Moment,
  seed: number,
): MemberMachine {
  const isOld = sid <= draw.oldMembers
  const config: MemberConfig = {
    ...{ sid, voters: sids, clusterId: 'simulated', sessionKey, seed },
    ...(founded === null ? {} : memberConfig(founded, sid, null, seed)),
    tickTimeMs: TICK_TIME_MS,
    snapCount: draw.snapCount,
    commitLogCount: draw.commitLogCount,
    snapshotSizeFactor: draw.snapshotSizeFactor,
    peerType: isObserver ? 'observer' : 'participant',
    treeDigestEnabled: !isOld,
    localSessionsEnabled: draw.localSessions,
    localSessionsUpgradingEnabled: draw.localSessions,
    readOnlyModeEnabled: draw.readOnlyMode,
    ...(draw.observerMasters ? { observerMaster: {} } : {}),
    ...(sessionBase === null ? {} : { sessionBase }),
    ...(origin === null || planted.forgetsOrigin === true ? {} : { originZxid: origin.zxid }),
  }
  const rules = {
    zab: { ...ZAB_RULES, ...planted.zabRules },
    comparesDigests: !isOld,
    makeDelivery: planted.delivery ?? MEMBER_RULES.makeDelivery,
  }
  return new MemberMachine(config, recovered, at, rules)
}
