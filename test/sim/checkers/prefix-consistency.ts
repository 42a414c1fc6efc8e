/**
 * PrefixConsistency (T35): committed prefixes of any two servers agree. Kept as one global log:
 * what any server shows as committed must continue it or lie inside it. Tells the other checkers of
 * each committed entry, once.
 */
import { counterOf, ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import type { History, KnownEntry } from '../history.ts'
import type { SimCommitted } from '../probe.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export class GlobalLog {
  readonly #world: World
  readonly #history: History
  readonly #rule: Rule
  readonly #entries: SimCommitted[] = []
  readonly #byZxid = new Map<Zxid, SimCommitted>()
  /** What each server has applied. */
  readonly #applied = new Map<HostView, Zxid>()

  constructor(world: World, history: History) {
    this.#world = world
    this.#history = history
    this.#rule = new Rule(world, 'PrefixConsistency')
    const { probe } = world
    probe.on('restored', ({ host, last }) => this.#applied.set(host, last))
    probe.on('delivered', ({ host, entry, serving }) => {
      this.#applied.set(host, entry.zxid)
      if (serving) this.#show(host, entry.zxid)
    })
    probe.on('service', ({ host, service }) => {
      if (service.kind !== 'stopped') this.#show(host, this.applied(host))
    })
  }

  get entries(): readonly SimCommitted[] {
    return this.#entries
  }

  get tip(): Zxid {
    return this.#entries.at(-1)?.zxid ?? this.origin
  }

  /** Where it begins: no entry, but what everything goes on from. */
  get origin(): Zxid {
    return this.#world.origin?.zxid ?? ZXID_NONE
  }

  find(zxid: Zxid): SimCommitted | undefined {
    return this.#byZxid.get(zxid)
  }

  applied(host: HostView): Zxid {
    return this.#applied.get(host) ?? ZXID_NONE
  }

  /** The server lets clients see everything up to `zxid`; what is new of that is added. */
  #show(host: HostView, zxid: Zxid): void {
    if (zxid === ZXID_NONE || counterOf(zxid) === 0) return
    const fresh: KnownEntry[] = []
    let at = zxid
    while (at !== ZXID_NONE && !this.#byZxid.has(at)) {
      const known = this.#history.find(at)
      if (known === undefined) break
      fresh.push(known)
      at = known.before
    }
    const { tip } = this
    const isKept = fresh.length === 0 || at === tip
    this.#rule.holds(isKept, () => {
      const fork = `forks off at ${hex(at)}; committed is ${hex(tip)}`
      return `${host.name} shows ${hex(zxid)}, which ${fork}`
    })
    if (isKept) for (const known of fresh.reverse()) this.#add(known)
  }

  #add({ zxid, entry, replaced }: KnownEntry): void {
    const entered = { zxid, entry, logged: decodeTxn(entry), index: this.#entries.length }
    const committed = replaced === null ? entered : { ...entered, replaced }
    this.#entries.push(committed)
    this.#byZxid.set(zxid, committed)
    this.#world.probe.emit('committed', committed)
  }
}
