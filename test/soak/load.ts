/** The clients of a soak: each a session in some tab, a new one when its tab or it is gone. */
import type { Prng } from '../../src/core/base/prng.ts'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import type { Member } from '../../src/playwright/member.ts'
import { inKit } from '../../src/playwright/page-call.ts'
import { carryOut, drawTogether, FIRST, type Operation, type Tally } from './operations.ts'

/** Steps of one request to a page, and ms between them. */
const STEPS = 6
const PAUSE_MS = [30, 160] as const
const TIMEOUTS_MS = [4_000, 8_000, 20_000] as const
/** Until a tab is asked again after one that was of no use. */
const RETRY_MS = 150
/** Requests of one session, at most: then it is closed as an app does, and another one opened. */
const REQUESTS_MAX = 40
/** Texts of errors that are told. */
const STRANGE_MAX = 5
/** What Playwright says of a page that went while it was asked. */
const PAGE_IS_GONE =
  /has been closed|crashed|context was destroyed|navigat|joined no room|by the kit|no client/

interface Standing {
  readonly member: Member
  readonly key: string
}

export class Load {
  readonly #room: Ensemble
  readonly #lives: Promise<void>[] = []
  readonly #standing = new Set<Standing>()
  readonly #strange = new Map<string, number>()
  #isStopping = false
  #words = 0
  answered = 0
  refused = 0
  unanswered = 0
  sessions = 0

  constructor(room: Ensemble, prng: Prng, count: number) {
    this.#room = room
    for (let i = 1; i <= count; i++) this.#lives.push(this.#live(`${i}`, prng.fork(`client ${i}`)))
  }

  /** What no client should hear, and how often. */
  get strange(): readonly string[] {
    const all = [...this.#strange].map(([text, count]) => `${count} × ${text}`)
    return all.slice(0, STRANGE_MAX)
  }

  /** Resolves when every call has settled and every session is closed. */
  async stop(limitMs: number): Promise<void> {
    this.#isStopping = true
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_resolve, reject) => {
      const late = (): void => {
        const whose = [...this.#standing].map(({ member, key }) => `${key} on ${member.number}`)
        reject(new Error(`calls do not settle within ${limitMs} ms: ${whose.join(', ')}`))
      }
      timer = setTimeout(late, limitMs)
    })
    try {
      await Promise.race([Promise.all(this.#lives), limit])
    } finally {
      clearTimeout(timer)
    }
  }

  /** No more sessions, whatever becomes of those that are there. */
  abandon(): void {
    this.#isStopping = true
  }

  /** Of one of its sessions, for everybody; false: there is none now. */
  async endOne(prng: Prng): Promise<boolean> {
    const standing = [...this.#standing].filter(({ member }) => member.isUp && !member.isFrozen)
    const other = this.#room.alive.find((member) => {
      return !member.isFrozen && member.status?.member?.serving === true
    })
    if (standing.length === 0 || other === undefined) return false
    const { member, key } = prng.pick(standing)
    try {
      const session = await inKit(member.page, (kit, name) => kit.session(name), key)
      await inKit(other.page, (kit, [id, word]) => kit.endSession(id, word), [
        session.id,
        session.password,
      ] as const)
      return true
    } catch {
      // It was over already, or nobody was in reach to end it.
      return false
    }
  }

  async #live(name: string, prng: Prng): Promise<void> {
    for (let life = 1; !this.#isStopping; life++) {
      const { alive } = this.#room
      if (alive.length > 0) await this.#oneLife(prng.pick(alive), `${name}.${life}`, prng)
      if (!this.#isStopping) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  async #oneLife(member: Member, key: string, prng: Prng): Promise<void> {
    const standing: Standing = { member, key }
    const { page } = member
    this.#standing.add(standing)
    try {
      await inKit(page, (kit, [name, ms]) => kit.openClient(name, ms), [
        key,
        prng.pick(TIMEOUTS_MS),
      ] as const)
      this.sessions++
      await this.#work(standing, page, prng)
      await inKit(page, (kit, name) => kit.client(name).close(), key)
    } catch (error) {
      this.#note(error)
    } finally {
      this.#standing.delete(standing)
    }
  }

  async #work({ key }: Standing, page: Member['page'], prng: Prng): Promise<void> {
    let queued: readonly string[] = []
    const ask = async (steps: readonly (readonly Operation[])[]): Promise<Tally> => {
      const [least, most] = PAUSE_MS
      const pauseMs = least + prng.int(most - least)
      const tally = await inKit(page, carryOut, { key, steps, pauseMs })
      this.answered += tally.answered
      this.refused += tally.refused
      this.unanswered += tally.unanswered
      return tally
    }
    await ask(FIRST)
    for (let request = 0; request < REQUESTS_MAX && !this.#isStopping; request++) {
      const steps: (readonly Operation[])[] = []
      for (let i = 0; i < STEPS; i++) {
        const together = drawTogether(prng, queued, () => `${key}-${++this.#words}`)
        // What was deleted is so no more; what it came to does not matter.
        const gone = together.filter(({ kind }) => kind === 'delete').map(({ path }) => path)
        queued = queued.filter((path) => !gone.includes(path))
        steps.push(together)
      }
      const tally = await ask(steps)
      queued = [...queued, ...tally.queued]
      if (tally.isOver) return
    }
  }

  #note(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    if (PAGE_IS_GONE.test(text)) return
    const line = text.split('\n')[0] ?? ''
    this.#strange.set(line, (this.#strange.get(line) ?? 0) + 1)
  }
}
