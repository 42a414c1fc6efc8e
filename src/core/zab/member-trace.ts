/** Facts about one member for observers: pages, tests, the flight recorder. */
import { formatZxid, type ServerId, type Zxid } from '../base/zxid.ts'
import type { Role, TraceEvent } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import type { Vote } from './vote.ts'

export class MemberTrace {
  readonly #out: EffectSink

  constructor(out: EffectSink) {
    this.#out = out
  }

  role(role: Role, epoch: number, reason: string): void {
    this.#emit({ type: 'role', role, epoch, reason })
  }

  vote({ leader, zxid, electionEpoch }: Vote): void {
    const round = Number(electionEpoch)
    this.#emit({ type: 'vote', leader, zxid: formatZxid(zxid), round })
  }

  established(epoch: number, leader: ServerId): void {
    this.#emit({ type: 'established', epoch, leader })
  }

  link(peer: ServerId, up: boolean, reason: string): void {
    this.#emit({ type: 'link', peer, up, reason })
  }

  replaced(zxid: Zxid): void {
    this.#emit({ type: 'replaced', zxid: formatZxid(zxid) })
  }

  slept(elapsedMs: number): void {
    this.#emit({ type: 'slept', elapsedMs: Math.round(elapsedMs) })
  }

  violation(peer: ServerId, what: string): void {
    this.#emit({ type: 'protocol-error', peer, what })
  }

  #emit(event: TraceEvent): void {
    this.#out.push({ kind: 'trace', event })
  }
}
