/** Faults one after another and several at once, as a seed draws them, each undone in the end. */
import type { Prng } from '../../src/core/base/prng.ts'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import type { Member } from '../../src/playwright/member.ts'
import type { Site } from '../../src/playwright/site.ts'
import { FAULT_KINDS, shuffled, type Kind, type Running, type Stage } from './fault-kinds.ts'
import type { Load } from './load.ts'

/** At once: one mostly, sometimes two or three. */
const AT_ONCE = [1, 1, 1, 1, 1, 2, 2, 2, 3] as const
const LASTS_MS = [200, 4_000] as const
const BETWEEN_MAX_MS = 900
/** Until the next ones; some come at once. */
const REST_MAX_MS = 1_500

export interface FaultLoopOptions {
  readonly room: Ensemble
  readonly load: Load
  readonly broker: Site
  readonly prng: Prng
  readonly signal: AbortSignal
  /** null: all kinds. */
  readonly only: readonly string[] | null
  /** What happens, in words. */
  readonly onFault: (what: string) => void
  /** Machines whose storage is gone: no voters any more. */
  readonly wiped: number
}

export class FaultLoop {
  readonly #options: FaultLoopOptions
  readonly #stage: Stage
  readonly #counts = new Map<string, number>()
  #running: (Running & { readonly kind: Kind; readonly name: string })[] = []
  #torn = 0
  wiped: number
  /** When the last fault was undone. */
  healedMs: number = Date.now()

  constructor(options: FaultLoopOptions) {
    this.#options = options
    this.wiped = options.wiped
    const { room, load, broker, prng } = options
    this.#stage = {
      ...{ room, load, broker, prng },
      free: () => room.alive.filter((member) => !this.#victims.includes(member)),
      pause: (maxMs) => this.#pause(prng.int(maxMs + 1)),
    }
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  get #victims(): readonly Member[] {
    return this.#running.flatMap(({ victims }) => victims)
  }

  /** Ends when the time is up, or the signal says so; nothing is hurt any more then. */
  async run(untilMs: number): Promise<void> {
    const { prng, room, signal } = this.#options
    while (Date.now() < untilMs && !signal.aborted) {
      for (let i = prng.pick(AT_ONCE); i > 0; i--) {
        await this.#begin()
        if (i > 1) await this.#stage.pause(BETWEEN_MAX_MS)
      }
      const [least, most] = LASTS_MS
      await this.#pause(least + prng.int(most - least))
      await this.#undoAll()
      this.healedMs = Date.now()
      if (this.healedMs < untilMs) await this.#stage.pause(REST_MAX_MS)
      await room.collectLog()
    }
  }

  async #begin(): Promise<void> {
    const found = this.#draw()
    if (found === null) return
    const [name, kind] = found
    const begun = await kind.begin(this.#stage)
    if (begun === null) return
    const whom = begun.victims.map(({ number }) => ` ${number}`).join('')
    this.#options.onFault(`${name}${whom}`)
    if (kind.loses === 'its last words') this.#torn++
    if (kind.loses === 'everything') this.wiped++
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
    this.#running.push({ ...begun, kind, name })
  }

  #draw(): readonly [string, Kind] | null {
    const { only, prng } = this.#options
    const possible = Object.entries(FAULT_KINDS).filter(([name, kind]) => {
      return (only === null || only.includes(name)) && this.#mayBegin(kind)
    })
    let left = prng.next() * possible.reduce((sum, [, { weight }]) => sum + weight, 0)
    for (const entry of possible) {
      left -= entry[1].weight
      if (left < 0) return entry
    }
    return null
  }

  #mayBegin({ place, loses }: Kind): boolean {
    const places = this.#running.map(({ kind }) => kind.place)
    if (place === 'all') return places.length === 0
    if (places.includes('all')) return place === 'network'
    if (place === 'broker' && places.includes('broker')) return false
    if (loses === undefined) return true
    // A minority may lose what it has promised to keep, until all have caught up with each other.
    const voters = this.#options.room.members.length
    return this.wiped + this.#torn + 1 <= Math.floor((voters - 1) / 2)
  }

  async #undoAll(): Promise<void> {
    // Whoever comes back has to find the others.
    const broker = this.#running.filter(({ kind }) => kind.place === 'broker')
    const others = this.#running.filter(({ kind }) => kind.place !== 'broker')
    for (const { undo, name } of [...broker, ...shuffled(others, this.#options.prng)]) {
      await undo()
      this.#options.onFault(`${name} is over`)
      await this.#stage.pause(BETWEEN_MAX_MS)
    }
    this.#running = []
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}
