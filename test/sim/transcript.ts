/** What a person reads of a run. Off unless asked for: a failure is replayed with it on. */
export class Transcript {
  readonly #isOn: boolean
  readonly #keep: number
  #lines: string[] = []

  constructor(isOn: boolean, keep: number) {
    this.#isOn = isOn
    this.#keep = keep
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** The text is made only when somebody reads it. */
  say(nowMs: number, who: string, what: () => string): void {
    if (!this.#isOn) return
    this.#lines.push(`${nowMs.toFixed(2).padStart(10)} ${who.padEnd(10)} ${what()}`)
    if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep)
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#keep)
  }
}
