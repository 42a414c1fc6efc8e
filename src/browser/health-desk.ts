/**
 * Where a tab asks for its health. What answers is loaded when somebody does, this page or the
 * doctor of another one: most pages never need it, and it is a quarter of what they would load.
 */
import type { WorkerStatus } from '../../worker/protocol.ts'
import type { Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import type { PeerId } from '../ports/signaling.ts'
import type { Explanation } from './explanation.ts'
import type { ExplainOptions, TabHealth, TabHealthOptions } from './tab-health.ts'

export class HealthDesk {
  readonly #options: TabHealthOptions
  readonly #awaySinceMs = new Map<number, number>()
  #loading: Promise<TabHealth> | null = null

  constructor(options: Omit<TabHealthOptions, 'awaySinceMs'>) {
    this.#options = { ...options, awaySinceMs: this.#awaySinceMs }
  }

  /** To be called with each status of the tab's machine. */
  onStatus(status: WorkerStatus): void {
    for (const peer of status.member?.peers ?? []) {
      if (peer.up) this.#awaySinceMs.delete(peer.sid)
      else if (!this.#awaySinceMs.has(peer.sid)) {
        this.#awaySinceMs.set(peer.sid, Date.now() - peer.silentMs)
      }
    }
  }

  onDoctor(from: PeerId, message: Uint8Array): void {
    // Whoever asked asks again, or does without this page's answer.
    this.#load().then((health) => health.onDoctor(from, message), ignore)
  }

  async examine(options?: ExamineOptions): Promise<Examination> {
    return (await this.#load()).examine(options)
  }

  async explain(options?: ExplainOptions): Promise<Explanation> {
    return (await this.#load()).explain(options)
  }

  #load(): Promise<TabHealth> {
    this.#loading ??= import('./tab-health.ts').then(
      ({ TabHealth }) => new TabHealth(this.#options),
      (error: unknown) => {
        // The server may be back at the next question.
        this.#loading = null
        throw error
      },
    )
    return this.#loading
  }
}

function ignore(): void {}
