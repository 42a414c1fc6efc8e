/** Session ids and the passwords that go with them (S1–S3). */
import { hmacSha1 } from '../base/sha1.ts'
import { equal } from '../base/bytes.ts'
import type { Prng } from '../base/prng.ts'
import { toSessionId, type ServerId, type SessionId } from '../base/zxid.ts'
import { SESSION_BASE_SPAN } from './observer-table.ts'
import { zookeeperPassword } from './zookeeper-password.ts'

export const PASSWORD_BYTES = 16
/** Owner mark of container nodes: the one id that may never be a session's (D44, S1). */
const CONTAINER_OWNER = -0x8000_0000_0000_0000n
const COUNTER_MASK = 0x00ff_ffff_ffff_ffffn
const SERVER_SHIFT = 56n
/** The clock's milliseconds sit above a 16-bit counter (S1). */
const CLOCK_SHIFT = 16n
/** ms, a quarter of an hour; with the counter 36 bits of chance keep two lives apart. Ours. */
const JUMP_MS_MAX = 2 ** 20
const JUMP_COUNT_MAX = 2 ** 16

/** The low 56 bits that a server may use: from `first`, `span` of them, then from `first` again. */
interface IdRange {
  readonly first: bigint
  readonly span: bigint
}

/**
 * Hands out ids: the server id in the top byte, below it a number that goes up. Where it begins
 * differs from life to life, by the clock or by a grant of the leader, and by chance.
 */
export class SessionIds {
  readonly #prefix: bigint
  readonly #range: IdRange
  readonly #prng: Prng
  #low: bigint

  private constructor(sid: ServerId, range: IdRange, start: bigint, prng: Prng) {
    this.#prng = prng
    this.#prefix = BigInt(sid) << SERVER_SHIFT
    this.#range = range
    this.#low = start
  }

  /** `base`: granted with the server id; undefined: there was none. */
  static of(sid: ServerId, base: bigint | undefined, wallMs: number, prng: Prng): SessionIds {
    if (base === undefined) return SessionIds.byClock(sid, wallMs, prng)
    return SessionIds.granted(sid, base, prng)
  }

  /**
   * Wall-clock ms, then a counter. ZooKeeper takes its monotonic clock, which restarts with a page;
   * two lives would give one id twice (S1). `prng` must differ from life to life.
   */
  static byClock(sid: ServerId, wallMs: number, prng: Prng): SessionIds {
    const start = (BigInt(Math.floor(wallMs)) << CLOCK_SHIFT) & COUNTER_MASK
    return new SessionIds(sid, { first: 0n, span: COUNTER_MASK + 1n }, start, prng)
  }

  /**
   * In the range that was granted with the server id, which others have had before. Several lives
   * may use one grant, so each begins somewhere in its first half.
   */
  static granted(sid: ServerId, base: bigint, prng: Prng): SessionIds {
    const chance = (BigInt(prng.int(JUMP_MS_MAX)) * SESSION_BASE_SPAN) / BigInt(2 * JUMP_MS_MAX)
    const start = base + chance + BigInt(prng.int(JUMP_COUNT_MAX / 2))
    return new SessionIds(sid, { first: base, span: SESSION_BASE_SPAN }, start, prng)
  }

  next(): SessionId {
    for (;;) {
      const id = BigInt.asIntN(64, this.#prefix | this.#low)
      this.#low = this.#within(this.#low + 1n)
      if (id !== CONTAINER_OWNER && id !== 0n) return toSessionId(id)
    }
  }

  /**
   * Never hand this one out again: a wall clock set back between two lives would. Ids behind it may
   * have been used too, by sessions that ended before the newest snapshot, so we go on somewhere
   * ahead where no life was before.
   */
  observe(id: bigint): void {
    const unsigned = BigInt.asUintN(64, id)
    if ((unsigned >> SERVER_SHIFT) << SERVER_SHIFT !== this.#prefix) return
    const low = unsigned & COUNTER_MASK
    const { first, span } = this.#range
    if (low < this.#low || low >= first + span) return
    const clock = (low >> CLOCK_SHIFT) + 1n + BigInt(this.#prng.int(JUMP_MS_MAX))
    const count = BigInt(this.#prng.int(JUMP_COUNT_MAX))
    this.#low = this.#within((clock << CLOCK_SHIFT) | count)
  }

  #within(low: bigint): bigint {
    const { first, span } = this.#range
    return first + (BigInt.asUintN(64, low - first) % span)
  }
}

/**
 * ZooKeeper seeds Java's random numbers with the id: no secret. Members of a room share a key
 * instead, so any of them can check a session that moves, and nobody else can make one up (S2).
 * Without a key it is ZooKeeper's: servers that a file brought together share no secret.
 */
export function sessionPassword(key: Uint8Array | null, id: SessionId): Uint8Array {
  if (key === null) return zookeeperPassword(id, PASSWORD_BYTES)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, id)
  return hmacSha1(key, bytes).slice(0, PASSWORD_BYTES)
}

/** False for id 0, which stands for no session (S3). */
export function checkPassword(
  key: Uint8Array | null,
  id: SessionId,
  password: Uint8Array | null,
): boolean {
  return id !== 0n && password !== null && equal(sessionPassword(key, id), password)
}
