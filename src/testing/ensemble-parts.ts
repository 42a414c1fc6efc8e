/** What an ensemble under test is put together from, and who finds whom in it. */
import { encodeUtf8 } from '../core/base/utf8.ts'
import { Prng } from '../core/base/prng.ts'
import { toServerId } from '../core/base/zxid.ts'
import type { MemberConfig } from '../core/server/member-machine.ts'
import type { ServerConfig } from '../core/server/server-config.ts'
import type { PersistEffect, TraceEvent } from '../core/zab/effect.ts'
import { LinkDialer } from './link-dialer.ts'
import { VirtualMember } from './virtual-member.ts'
import { VirtualNetwork } from './virtual-network.ts'
import type { VirtualTime } from './virtual-time.ts'

/** ZooKeeper's sample configuration (S4). */
const TICK_TIME_MS = 2000

/** What may be set of a member's service; everything else is as in a room. */
export type ServiceSettings = Pick<
  ServerConfig,
  | 'tickTimeMs'
  | 'minSessionTimeoutMs'
  | 'maxSessionTimeoutMs'
  | 'snapCount'
  | 'superDigest'
  | 'extendedTypesEnabled'
  | 'containerCheckIntervalMs'
  | 'containerNeverUsedMs'
  | 'enforcesQuota'
  | 'localSessionsEnabled'
  | 'localSessionsUpgradingEnabled'
  | 'readOnlyModeEnabled'
>

export interface PartsOptions {
  readonly seed: number
  readonly size: number
  readonly observers: number
  readonly startMs: number
  readonly service: Partial<ServiceSettings>
}

export interface MemberEvents {
  readonly onTrace: (member: VirtualMember, event: TraceEvent) => void
  readonly onDurable: (member: VirtualMember, batch: readonly PersistEffect[]) => void
  readonly onHalt: (member: VirtualMember, reason: string) => void
}

/** Says what is missing. */
export type Why = () => string

export class EnsembleParts {
  readonly prng: Prng
  readonly time: VirtualTime
  readonly network: VirtualNetwork
  /** Voters, then observers. */
  readonly members: readonly VirtualMember[]
  readonly voters: readonly VirtualMember[]
  readonly #dialer: LinkDialer

  constructor(time: VirtualTime, options: PartsOptions, events: MemberEvents) {
    const { seed, size, observers, startMs, service } = options
    const prng = new Prng(seed)
    this.prng = prng
    this.time = time
    this.network = new VirtualNetwork(time, prng.fork('network'))
    const config: Omit<MemberConfig, 'sid' | 'seed' | 'peerType'> = {
      tickTimeMs: TICK_TIME_MS,
      ...service,
      voters: Array.from({ length: size }, (_, index) => toServerId(index + 1)),
      clusterId: `test-${seed}`,
      sessionKey: encodeUtf8(`key of test ${seed}`),
    }
    const around = { time, network: this.network, prng, wallBaseMs: startMs, config, ...events }
    this.members = Array.from({ length: size + observers }, (_, index) => {
      return new VirtualMember(around, index + 1, index >= size)
    })
    this.voters = this.members.slice(0, size)
    this.#dialer = new LinkDialer(time, this.network, prng.fork('dialer'), this.members)
  }

  start(): void {
    for (const member of this.members) member.start()
    this.#dialer.start()
  }

  member(number: number | null): VirtualMember {
    if (number === null) throw new RangeError('no member: leader() and follower() found none')
    const member = this.members[number - 1]
    if (member !== undefined) return member
    throw new RangeError(`there is no member ${number}: they are 1 to ${this.members.length}`)
  }

  voter(number: number | null): VirtualMember {
    const member = this.member(number)
    if (!member.isObserver) return member
    throw new RangeError(`${member.name} is an observer`)
  }

  /** Who leads and has a majority behind it; null while nobody does. */
  get leader(): VirtualMember | null {
    const leading = this.voters.filter((member) => {
      return member.process.isRunning && member.role === 'leading' && member.isServing
    })
    const leader = leading.find((member) => this.#followersOf(member) > this.voters.length / 2)
    return leader ?? null
  }

  /** Itself included. */
  #followersOf(leader: VirtualMember): number {
    return this.voters.filter((member) => {
      if (member === leader) return true
      const isThere = member.process.isRunning && member.isServing
      return isThere && member.leader === leader.number && this.canMeet(member, leader)
    }).length
  }

  /** The leader, and who should hold what it holds. */
  alike(): readonly VirtualMember[] {
    const { leader } = this
    if (leader === null) return []
    return [
      leader,
      ...this.members.filter((each) => each !== leader && this.#isWanted(each, leader)),
    ]
  }

  #isWanted(member: VirtualMember, leader: VirtualMember): boolean {
    const isHere = member.isUp && member.isFounded && !member.process.isFrozen
    return isHere && this.canMeet(member, leader)
  }

  canMeet(a: VirtualMember, b: VirtualMember): boolean {
    return this.network.canMeet(a, b)
  }

  /** Words for what is not quiet yet, made when they are asked for; null when all is. */
  whyNotQuiet(): Why | null {
    const { leader } = this
    if (leader === null) return () => this.whyNoLeader()
    for (const member of this.members) {
      if (!this.#isWanted(member, leader)) continue
      if (!member.isServing) return () => `${member.name} does not serve: ${whyNot(member)}`
      if (member.tree?.lastProcessed !== leader.tree?.lastProcessed) {
        return () => `${member.name} and the leader are not at the same zxid`
      }
    }
    return null
  }

  whyNoLeader(): string {
    return this.members.map((member) => `${member.name}: ${whyNot(member)}`).join('; ')
  }
}

function whyNot(member: VirtualMember): string {
  if (!member.isUp) return member.haltReason ?? 'is down'
  if (member.process.isFrozen) return 'is frozen'
  return member.status?.whyNotServing ?? `serves under leader ${member.status?.leader ?? '?'}`
}
