/**
 * An administrator who takes a backup and brings it back later (P26): the leader's state as it was,
 * given to whoever leads then. Everything since is undone by intention; from there on nothing may
 * be lost again, and nobody may show what was before.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import type { Zxid } from '../../src/core/base/zxid.ts'
import { readBackup } from '../../src/core/server/backup.ts'
import type { DataTree } from '../../src/core/tree/data-tree.ts'
import type { RecordedTree } from '../../src/history/recorded-tree.ts'
import { within } from './draw.ts'
import type { HostView } from './host-view.ts'
import { chunksOf, recordedTree } from './recorded-tree.ts'
import type { SimContext } from './sim-context.ts'
import type { SimHost } from './sim-host.ts'

/** ms from the beginning to the backup, and from there until it is brought back. */
const TAKES_MS: readonly [number, number] = [3000, 12_000]
const BRINGS_MS: readonly [number, number] = [500, 10_000]
/** ms between two looks for somebody who leads. */
const LOOK_MS = 250

export class RestorePlan {
  readonly #context: SimContext
  readonly #voters: readonly SimHost[]
  readonly #prng: Prng
  /** What was given to whom; it is that member's state once it has a zxid for it. */
  readonly #given = new Map<HostView, DataTree>()
  #isOver = false

  constructor(context: SimContext, voters: readonly SimHost[]) {
    this.#context = context
    this.#voters = voters
    this.#prng = context.prng.fork('restore')
    context.probe.on('stopped', ({ host }) => this.#given.delete(host))
    // Without a role before it was staged, it has given it up.
    context.probe.on('trace', ({ host, event }) => {
      if (event.type === 'role') this.#given.delete(host)
    })
    context.probe.on('healed', () => {
      this.#isOver = true
    })
  }

  start(): void {
    if (!this.#context.draw.restores) return
    this.#whenLed(within(this.#prng, TAKES_MS), (leader, tree) => {
      const backup = chunksOf(tree)
      this.#context.say(leader.name, () => `backed up at 0x${tree.lastProcessed.toString(16)}`)
      this.#whenLed(within(this.#prng, BRINGS_MS), (member) => this.#bring(member, backup))
    })
  }

  /** What the state of this member is from `zxid` on, if that is a backup that it was given. */
  take(host: HostView, zxid: Zxid): RecordedTree | null {
    const tree = this.#given.get(host)
    if (tree === undefined) return null
    this.#given.delete(host)
    return { ...recordedTree(tree), zxid }
  }

  /** As the edge does it (restore-state.ts). */
  #bring(leader: SimHost, backup: readonly Uint8Array[]): void {
    const { machine } = leader
    if (machine === null) return
    const tree = readBackup(backup, machine.server.lastProcessed())
    this.#context.probe.emit('fault', { what: 'a backup is brought back', sids: [leader.sid] })
    this.#context.say(leader.name, () => 'is given a backup')
    this.#given.set(leader, tree)
    leader.inputs({ kind: 'replace-state', chunks: chunksOf(tree) })
  }

  #whenLed(delayMs: number, then: (leader: SimHost, tree: DataTree) => void): void {
    this.#context.timeline.after(delayMs, () => {
      if (this.#isOver) return
      const leader = this.#voters.find((host) => host.isRunning && leads(host))
      const tree = leader?.tree ?? null
      if (leader === undefined || tree === null) this.#whenLed(LOOK_MS, then)
      else then(leader, tree)
    })
  }
}

function leads(host: SimHost): boolean {
  const status = host.machine?.status(host.now())
  return status?.role === 'leading' && status.serving
}
