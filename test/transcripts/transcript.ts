/** What members say, write and become, one line each, on virtual time from 0. */
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { decodeFrame } from '../../src/core/zab/frame.ts'
import { packetWords, shortZxid, traceWords, writeWords } from '../../src/edge/member-words.ts'
import { Ensemble, type EnsembleOptions } from '../core/zab/ensemble.ts'

export class Transcript {
  readonly ensemble: Ensemble
  readonly #lines: string[] = []
  readonly #startMs: number

  constructor(options: Partial<EnsembleOptions> = {}) {
    this.ensemble = new Ensemble({ size: 3, ...options })
    this.#startMs = this.ensemble.nowMs
    this.ensemble.onFrame = (from, to, bytes) => this.#onFrame(from, to, bytes)
    this.ensemble.onBatch = (sid, batch) =>
      this.#line(sid, `writes ${batch.map(writeWords).join(' · ')}`)
    for (const { sid, traces } of this.ensemble.members) {
      const push = traces.push.bind(traces)
      traces.push = (...events) => {
        for (const event of events) this.#onTrace(sid, event)
        return push(...events)
      }
    }
  }

  /** A heading between the lines. */
  say(what: string): void {
    this.#lines.push('', `# ${what}`)
  }

  /** Everybody starts; how is in elect-and-write.txt. */
  begin(): void {
    this.ensemble.startAll()
    this.settle()
    this.begins()
  }

  /** What was so far is another transcript's. */
  begins(): void {
    this.#lines.length = 0
  }

  /** Until a leader and everybody who is up serve, and a little longer. */
  settle(): void {
    this.ensemble.runUntil('settled', () => this.ensemble.isSettled)
    this.ensemble.run(30)
  }

  write(...texts: readonly string[]): void {
    const { ensemble } = this
    const leader = ensemble.leader
    if (leader === undefined) throw new Error('no leader')
    ensemble.act(leader, ({ replica }) => {
      for (const text of texts) replica.propose(text, ensemble.now)
    })
    ensemble.run(30)
  }

  /** What everybody has, in one line each. */
  state(): void {
    for (const { sid, life, disk } of this.ensemble.members) {
      const log = disk.log.map(({ zxid }) => shortZxid(zxid)).join(' ')
      const has = life === null ? 'down' : `${life.peer.role}, has ${life.replica.texts.join(' ')}`
      const epochs = `epochs ${disk.acceptedEpoch}/${disk.currentEpoch}`
      this.#lines.push(`        ${sid} ${has}; disk: ${epochs}, log ${log}`)
    }
  }

  get text(): string {
    return `${this.#lines.join('\n').replace(/^\n+/, '')}\n`
  }

  #line(sid: ServerId, what: string): void {
    const ms = Math.round(this.ensemble.nowMs - this.#startMs)
    this.#lines.push(`${String(ms).padStart(6)}  ${sid} ${what}`)
  }

  #onFrame(from: ServerId, to: ServerId, bytes: Uint8Array): void {
    const { lane, packets } = decodeFrame(bytes)
    const words = packets.flatMap((packet) => packetWords(lane, packet))
    if (words.length > 0) this.#line(from, `→ ${to}  ${words.join(' · ')}`)
  }

  #onTrace(sid: ServerId, event: TraceEvent): void {
    const words = traceWords(event)
    if (words !== null) this.#line(sid, words)
  }
}
