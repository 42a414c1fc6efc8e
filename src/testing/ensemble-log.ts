/** What happened in an ensemble under test: lines for people, and one number for all of it. */
import type { PersistEffect, TraceEvent } from '../core/zab/effect.ts'
import type { MemberEvents } from './ensemble-parts.ts'
import { EnsembleRecord } from './ensemble-record.ts'
import { withMessage } from './thrown.ts'
import { TraceDigest } from './trace-digest.ts'
import type { VirtualClient } from './virtual-client.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Lines kept. Ours: what a person reads; older ones go. */
const LINES_MAX = 2000
/** Lines that an error shows. */
const LINES_SHOWN = 25

export class EnsembleLog implements MemberEvents {
  readonly #time: VirtualTime
  readonly #digest = new TraceDigest()
  readonly #lines: string[] = []
  readonly #explained = new WeakSet<Error>()
  readonly record: EnsembleRecord

  constructor(time: VirtualTime) {
    this.#time = time
    this.record = new EnsembleRecord(time)
  }

  get digest(): string {
    return this.#digest.hex
  }

  /** The newest lines, oldest of them first. */
  lines(count: number = LINES_MAX): readonly string[] {
    return this.#lines.slice(-count)
  }

  say(who: string, what: string): void {
    this.#digest.number(this.#time.nowMs)
    this.#digest.text(`${who} ${what}`)
    this.#lines.push(`${this.#time.nowMs.toFixed(1).padStart(9)} ms  ${who.padEnd(9)}  ${what}`)
    if (this.#lines.length > 2 * LINES_MAX) this.#lines.splice(0, LINES_MAX)
  }

  /** Bytes that reach or leave a client. */
  passed({ number }: VirtualClient, way: 'in' | 'out', bytes: Uint8Array): void {
    this.#digest.number(this.#time.nowMs)
    this.#digest.number(way === 'in' ? number : -number)
    this.#digest.bytes(bytes)
  }

  onTrace: (member: VirtualMember, event: TraceEvent) => void = (member, event) => {
    this.record.traced(member, event)
    const words = wordsFor(event)
    if (words !== null) this.say(member.name, words)
  }

  onDurable: (member: VirtualMember, batch: readonly PersistEffect[]) => void = (member, batch) => {
    this.record.durable(member, batch)
    this.#digest.number(member.number)
    this.#digest.number(batch.length)
  }

  onHalt: (member: VirtualMember, reason: string) => void = (member, reason) => {
    this.record.went(member)
    this.say(member.name, `halts: ${reason}`)
  }

  hasExplained(error: Error): boolean {
    return this.#explained.has(error)
  }

  /** The same error, with the seed and what happened last in its message. */
  explained(error: Error, seed: number, where: string | null = null): Error {
    this.#explained.add(error)
    const lines = this.lines(LINES_SHOWN)
    const text = [
      error.message,
      '',
      `seed ${seed}; the same again: ZABRA_SEED=${seed}`,
      ...(where === null ? [] : [where]),
      ...(lines.length === 0 ? [] : ['what happened last:', ...lines]),
    ].join('\n')
    return withMessage(error, text)
  }
}

function wordsFor(event: TraceEvent): string | null {
  switch (event.type) {
    case 'role':
      return `${event.role} in epoch ${event.epoch}: ${event.reason}`
    case 'established':
      return `epoch ${event.epoch} is established, led by member ${event.leader}`
    case 'session-opened':
    case 'session-closed':
    case 'session-expired':
      return `${event.type.replace('-', ' ')}: ${event.session}`
    case 'link':
      return `link to member ${event.peer} ${event.up ? 'up' : 'down'}: ${event.reason}`
    case 'diverged':
      return `its tree is wrong at ${event.zxid}: ${event.what}`
    case 'slept':
      return `slept ${Math.round(event.elapsedMs)} ms`
    case 'protocol-error':
      return `protocol error of member ${event.peer}: ${event.what}`
    case 'sync':
      return `${event.mode} ${event.direction === 'in' ? 'from' : 'to'} member ${event.peer}`
    case 'vote':
    case 'snapshot':
    case 'observers':
    case 'observer-refused':
    case 'healed':
    case 'replaced':
    case 'quota-exceeded':
      return null
  }
}
