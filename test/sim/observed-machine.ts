/** The real machine, with a listener between Zab and the replica. */
import { EffectList } from '../../src/core/zab/effect-list.ts'
import type { LogEntry, Moment, RecoveredState } from '../../src/core/zab/effect.ts'
import { QuorumPeer } from '../../src/core/zab/quorum-peer.ts'
import type { PeerStatus } from '../../src/core/zab/status.ts'
import type { Service } from '../../src/core/zab/replica.ts'
import { ZAB_RULES } from '../../src/core/zab/rules.ts'
import type { MemberEffect, MemberInput } from '../../src/core/server/effect.ts'
import { ZooKeeperServer } from '../../src/core/server/zookeeper-server.ts'
import type { SimHost } from './sim-host.ts'

class ObservedServer extends ZooKeeperServer {
  host: SimHost | null = null

  override deliver(entry: LogEntry, at: Moment): void {
    const { host } = this
    super.deliver(entry, at)
    host?.world.probe.emit('delivered', { host, entry, serving: this.isServing })
  }

  override restore(
    snapshot: { readonly zxid: LogEntry['zxid']; readonly chunks: readonly Uint8Array[] },
    log: readonly LogEntry[],
  ): void {
    super.restore(snapshot, log)
    this.host?.world.probe.emit('restored', { host: this.host, last: this.lastProcessed() })
  }

  override onService(service: Service, at: Moment): void {
    super.onService(service, at)
    const { host } = this
    const last = this.lastProcessed()
    host?.world.probe.emit('service', { host, service, last })
  }
}

export class ObservedMachine {
  readonly server: ObservedServer
  readonly #peer: QuorumPeer
  readonly #out = new EffectList<MemberEffect>()

  constructor(host: SimHost, recovered: RecoveredState) {
    const { world, sid } = host
    const at = host.now()
    const config = {
      sid,
      voters: world.hosts.map((each) => each.sid),
      sessionKey: world.sessionKey,
      seed: world.draw.seed * 16 + sid,
      tickTimeMs: 2000,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      snapCount: world.draw.snapCount,
    }
    this.server = new ObservedServer(config, this.#out, at, world.planted.delivery)
    this.server.host = host
    const rules = { ...ZAB_RULES, ...world.planted.zabRules }
    this.#peer = new QuorumPeer(config, this.server, recovered, at, this.#out, rules)
    this.server.attach(this.#peer)
  }

  step(input: MemberInput, at: Moment): void {
    switch (input.kind) {
      case 'client-open':
        this.#peer.advance(at)
        this.server.clientOpen(input.connection, input.address, at)
        break
      case 'client-data':
        this.#peer.advance(at)
        this.server.clientData(input.connection, input.bytes, at)
        break
      case 'client-closed':
        this.#peer.advance(at)
        this.server.clientClosed(input.connection, at)
        break
      case 'tick':
        this.#peer.step(input, at)
        this.server.tick(at)
        break
      default:
        this.#peer.step(input, at)
        break
    }
    this.server.endStep()
  }

  takeEffects(): MemberEffect[] {
    return this.#out.take()
  }

  status(at: Moment): PeerStatus {
    return this.#peer.status(at)
  }
}
