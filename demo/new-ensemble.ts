/** For a lost majority: a new ensemble from this machine's copy, after saying what it may miss. */
import type { Room } from '../src/browser/room.ts'
import type { CopyFacts } from '../src/core/server/ensemble-copy.ts'
import type { WorkerStatus } from '../worker/protocol.ts'
import { make } from './page-elements.ts'

/** A majority that went away for a moment is not lost: tabs reload, laptops sleep. */
const LOST_AFTER_MS = 5_000

export class NewEnsemble {
  readonly #place: HTMLElement
  readonly #open = make('button', 'Start a new ensemble from this copy')
  readonly #asking = make('div', '')
  readonly #text = make('p', '', 'note')
  readonly #go = make('button', 'Start it', 'danger')
  readonly #cancel = make('button', 'Not now')
  #room: Room | null = null
  #voters: readonly number[] = []
  #lostSinceMs: number | null = null

  constructor(place: HTMLElement) {
    this.#place = place
    const row = make('div', '', 'row')
    for (const button of [this.#open, this.#go, this.#cancel]) button.type = 'button'
    row.append(this.#go, this.#cancel)
    this.#asking.append(this.#text, row)
    this.#asking.hidden = true
    this.#text.setAttribute('role', 'status')
    place.append(this.#open, this.#asking)
    place.hidden = true
    this.#open.addEventListener('click', () => void this.#ask())
    this.#cancel.addEventListener('click', () => this.#show(false))
    this.#go.addEventListener('click', () => void this.#start())
  }

  start(room: Room): void {
    this.#room = room
  }

  onStatus({ member, sid, voters }: WorkerStatus): void {
    this.#voters = voters.filter((voter) => voter !== sid)
    if (member === null || member.quorum.reachable) this.#lostSinceMs = null
    else this.#lostSinceMs ??= performance.now()
    const isLost =
      this.#lostSinceMs !== null && performance.now() - this.#lostSinceMs > LOST_AFTER_MS
    // Whoever reads what is missing goes on reading when a machine comes back.
    if (isLost || this.#asking.hidden) this.#place.hidden = !isLost
  }

  end(): void {
    this.#place.hidden = true
  }

  async #ask(): Promise<void> {
    const facts = (await this.#room?.copyFacts()) ?? null
    if (facts === null) return
    this.#text.textContent = copyText(facts, this.#voters)
    this.#show(true)
    this.#go.focus()
  }

  async #start(): Promise<void> {
    const room = this.#room
    if (room === null) return
    this.#go.disabled = true
    try {
      // Only the part behind the # differs: the page hears of it and loads anew.
      location.assign(await room.startNewEnsemble())
    } catch (error) {
      this.#text.textContent = `That did not work: ${String(error)}`
      this.#go.disabled = false
    }
  }

  #show(isAsking: boolean): void {
    this.#asking.hidden = !isAsking
    this.#open.hidden = isAsking
  }
}

export function copyText(facts: CopyFacts, others: readonly number[]): string {
  const { znodes, lastZxid, lastChangeMs, sessions, ephemerals } = facts
  const nodes = `${znodes} ${znodes === 1 ? 'znode' : 'znodes'}`
  const when = lastChangeMs === 0 ? 'never' : `on ${new Date(lastChangeMs).toLocaleString()}`
  const who = `${others.length === 1 ? 'machine' : 'machines'} ${others.join(', ')}`
  const left =
    `${sessions} ${sessions === 1 ? 'session' : 'sessions'} and ` +
    `${ephemerals} ephemeral ${ephemerals === 1 ? 'node' : 'nodes'} stay behind`
  return (
    `It begins with what this machine has: ${nodes}, up to transaction ${lastZxid}; a znode was ` +
    `last changed ${when}. Writes that ${who} acknowledged and this machine has not seen are ` +
    `missing. ${left}: their owners are gone. The new ensemble has a link of its own, which the ` +
    'other tabs have to open. This room and the data of its machines stay as they are.'
  )
}
