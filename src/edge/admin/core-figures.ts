/** What a server's core says of itself, as figures (O19–O25, D58). */
import type { ServerId } from '../../core/base/zxid.ts'
import type {
  CountedName,
  MeasuredName,
  PathName,
  ServerWitness,
} from '../../core/server/witness.ts'
import type { Moment } from '../../core/zab/effect.ts'
import { Distribution } from './distribution.ts'

/**
 * Namespaces with figures of their own. Ours: far beyond what one application makes, and a bound
 * for one that makes a node at the root for everything.
 */
const NAMESPACES_MAX = 1_000
/** Of an entry's header: client, cxid and zxid stand before the time. */
const TIME_AT = 20

type PathSum = Exclude<PathName, 'quota_exceeded_error_per_namespace'>

export class CoreFigures implements ServerWitness {
  readonly proposalMs: Distribution = new Distribution()
  readonly ackCreationMs: Distribution = new Distribution()
  readonly quorumAckMs: Distribution = new Distribution()
  readonly commitPropagationMs: Distribution = new Distribution()
  readonly propagationMs: Distribution = new Distribution()
  /** By the server id whose ack it was. */
  readonly ackMs: Map<string, Distribution> = new Map()
  readonly tokenDeficit: Distribution = new Distribution()
  readonly throttleQueueMs: Distribution = new Distribution()
  readonly quotaErrors: Map<string, number> = new Map()
  readonly #sums: Readonly<Record<PathSum, Map<string, Distribution>>> = {
    read_per_namespace: new Map(),
    write_per_namespace: new Map(),
  }
  readonly #counts = new Map<CountedName, number>()
  readonly #isLeading: () => boolean
  pendingSyncs = 0
  dropChance = 0

  constructor(isLeading: () => boolean) {
    this.#isLeading = isLeading
  }

  counted(what: CountedName): number {
    return this.#counts.get(what) ?? 0
  }

  ofPaths(what: PathSum): ReadonlyMap<string, Distribution> {
    return this.#sums[what]
  }

  count(what: CountedName): void {
    this.#counts.set(what, this.counted(what) + 1)
  }

  measure(what: MeasuredName, value: number): void {
    switch (what) {
      case 'connection_drop_probability':
        this.dropChance = value
        break
      case 'pending_syncs':
        this.pendingSyncs = value
        break
      case 'connection_token_deficit':
        this.tokenDeficit.add(value)
        break
      case 'request_throttle_queue_time_ms':
        this.throttleQueueMs.add(value)
        break
    }
  }

  concerning(what: PathName, path: string, amount: number): void {
    const namespace = namespaceOf(path)
    if (namespace === '') return
    if (what === 'quota_exceeded_error_per_namespace') {
      const before = this.quotaErrors.get(namespace)
      if (before === undefined && this.quotaErrors.size >= NAMESPACES_MAX) return
      this.quotaErrors.set(namespace, (before ?? 0) + amount)
    } else figureOf(this.#sums[what], namespace)?.add(amount)
  }

  proposed(entry: Uint8Array, at: Moment): void {
    add(this.proposalMs, entry, at.wallMs)
  }

  acknowledged(by: ServerId, entry: Uint8Array, at: Moment): void {
    add(figureOf(this.ackMs, String(by)), entry, at.wallMs)
  }

  committed(entry: Uint8Array, at: Moment): void {
    add(this.#isLeading() ? this.quorumAckMs : this.commitPropagationMs, entry, at.wallMs)
    // It is applied in the same step, here and by the leader.
    add(this.propagationMs, entry, at.wallMs)
  }

  /** This member's disk has it: its ack leaves now. */
  stored(entry: Uint8Array, wallMs: number): void {
    add(this.ackCreationMs, entry, wallMs)
  }
}

/** '/a/b' → 'a'; empty for the root. */
export function namespaceOf(path: string): string {
  const end = path.indexOf('/', 1)
  return path.slice(1, end < 0 ? undefined : end)
}

/** Undefined: there are too many already. */
function figureOf(figures: Map<string, Distribution>, key: string): Distribution | undefined {
  const known = figures.get(key)
  if (known !== undefined || figures.size >= NAMESPACES_MAX) return known
  const made = new Distribution()
  figures.set(key, made)
  return made
}

/** Clocks of two machines are compared: what comes from the future says nothing. */
function add(figure: Distribution | undefined, entry: Uint8Array, wallMs: number): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength)
  const tookMs = wallMs - Number(view.getBigInt64(TIME_AT))
  if (tookMs >= 0) figure?.add(tookMs)
}
