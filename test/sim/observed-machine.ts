/**
 * The real machine of a host. What its replica is told and what it asks of the disk is told to the
 * probe as well, in that order: the listeners sit on the prototypes of ZooKeeperServer and EffectList,
 * so the product needs no hook and runs exactly as it is.
 */
import { isPersistEffect, type RecoveredState } from '../../src/core/zab/effect.ts'
import { EffectList } from '../../src/core/zab/effect-list.ts'
import { MemberMachine, MEMBER_RULES } from '../../src/core/server/member-machine.ts'
import type { MemberEffect } from '../../src/core/server/effect.ts'
import { ZooKeeperServer } from '../../src/core/server/zookeeper-server.ts'
import { ZAB_RULES } from '../../src/core/zab/rules.ts'
import type { SimHost } from './sim-host.ts'

/** Whose machine runs: one at a time, since nothing here is asynchronous. */
let current: SimHost | null = null

const { deliver, restore, onService } = ZooKeeperServer.prototype
const { push } = EffectList.prototype

EffectList.prototype.push = function (effect: MemberEffect) {
  push.call(this, effect)
  const host = current
  if (isPersistEffect(effect)) host?.world.probe.emit('emitted', { host, effect })
}

ZooKeeperServer.prototype.deliver = function (entry, at) {
  deliver.call(this, entry, at)
  const host = current
  host?.world.probe.emit('delivered', { host, entry, serving: this.isServing })
}

ZooKeeperServer.prototype.restore = function (snapshot, log) {
  restore.call(this, snapshot, log)
  const host = current
  host?.world.probe.emit('restored', { host, last: this.lastProcessed() })
}

ZooKeeperServer.prototype.onService = function (service, at) {
  const host = current
  // Before it begins: what serving shows at once counts as shown.
  host?.world.probe.emit('service', { host, service, last: this.lastProcessed() })
  onService.call(this, service, at)
}

/** Runs the machine of this host, observed. */
export function asHost<T>(host: SimHost, run: () => T): T {
  const outer = current
  current = host
  try {
    return run()
  } finally {
    current = outer
  }
}

export function makeMachine(host: SimHost, recovered: RecoveredState): MemberMachine {
  const { world, sid } = host
  const { planted } = world
  const config = {
    sid,
    voters: world.hosts.map((each) => each.sid),
    clusterId: 'simulated',
    sessionKey: world.sessionKey,
    seed: host.prng.uint32(),
    tickTimeMs: 2000,
    snapCount: world.draw.snapCount,
  }
  const rules = {
    zab: { ...ZAB_RULES, ...planted.zabRules },
    makeDelivery: planted.delivery ?? MEMBER_RULES.makeDelivery,
  }
  return asHost(host, () => new MemberMachine(config, recovered, host.now(), rules))
}
