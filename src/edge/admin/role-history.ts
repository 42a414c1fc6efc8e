/** What a member's traces say about elections, synchronisation and service, as figures (O21). */
import { counterOf, epochOf, type Zxid } from '../../core/base/zxid.ts'
import type { Role, TraceEvent } from '../../core/zab/effect.ts'
import { Distribution } from './distribution.ts'

export class RoleHistory {
  readonly electionMs: Distribution = new Distribution()
  readonly followerSyncMs: Distribution = new Distribution()
  readonly observerSyncMs: Distribution = new Distribution()
  readonly unavailableMs: Distribution = new Distribution()
  readonly leaderUnavailableMs: Distribution = new Distribution()
  lookingCount = 0
  /** It led, and nobody came. */
  quitLeadingCount = 0
  /** Synchronisations by this member as the leader. */
  diffCount = 0
  snapCount = 0
  expiredSessions = 0
  /** Entries written and transactions applied, as the leader and as a learner. */
  readonly led: { proposals: number; commits: number } = { proposals: 0, commits: 0 }
  readonly learned: { proposals: number; commits: number } = { proposals: 0, commits: 0 }
  /** Null: nothing seen yet. */
  #applied: Zxid | null = null
  readonly startedMs: number
  #role: Role | null = null
  #roleSinceMs: number
  #unavailableSinceMs: number | null
  #leadsSinceMs: number | null = null

  constructor(nowMs: number) {
    this.startedMs = nowMs
    this.#roleSinceMs = nowMs
    this.#unavailableSinceMs = nowMs
  }

  get isLeading(): boolean {
    return this.#role === 'leading'
  }

  /** null: it does not lead. */
  leadsForMs(nowMs: number): number | null {
    return this.#leadsSinceMs === null ? null : nowMs - this.#leadsSinceMs
  }

  proposed(): void {
    this.#share.proposals++
  }

  /** Now and then, and before every change of role: what was applied since the last time. */
  applied(zxid: Zxid): void {
    const before = this.#applied
    this.#applied = zxid
    if (before === null || zxid <= before) return
    const since = epochOf(zxid) === epochOf(before) ? counterOf(before) : 0
    this.#share.commits += counterOf(zxid) - since
  }

  get #share(): { proposals: number; commits: number } {
    return this.#role === 'leading' ? this.led : this.learned
  }

  see(event: TraceEvent, nowMs: number): void {
    switch (event.type) {
      case 'role':
        this.#enter(event.role, nowMs)
        break
      case 'established':
        this.#established(nowMs)
        break
      case 'sync':
        if (event.direction === 'out' && event.mode === 'SNAP') this.snapCount++
        else if (event.direction === 'out') this.diffCount++
        break
      case 'session-expired':
        this.expiredSessions++
        break
      default:
        break
    }
  }

  #enter(role: Role, nowMs: number): void {
    if (role === 'looking') {
      this.lookingCount++
      if (this.#role === 'leading' && this.#leadsSinceMs === null) this.quitLeadingCount++
      this.#unavailableSinceMs ??= nowMs
    } else if (this.#role === 'looking') this.electionMs.add(nowMs - this.#roleSinceMs)
    this.#role = role
    this.#roleSinceMs = nowMs
    this.#leadsSinceMs = null
  }

  #established(nowMs: number): void {
    const sinceMs = nowMs - this.#roleSinceMs
    if (this.#role === 'following') this.followerSyncMs.add(sinceMs)
    else if (this.#role === 'observing') this.observerSyncMs.add(sinceMs)
    else this.#leadsSinceMs = nowMs
    if (this.#unavailableSinceMs === null) return
    const figure = this.#role === 'leading' ? this.leaderUnavailableMs : this.unavailableMs
    figure.add(nowMs - this.#unavailableSinceMs)
    this.#unavailableSinceMs = null
  }
}
