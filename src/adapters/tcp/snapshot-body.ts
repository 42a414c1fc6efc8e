/**
 * Finds the end of a snapshot in a stream of bytes. On the wire ZooKeeper sends what stands between
 * the header and the seal of its files (P11), without a length: sessions, ACL lists, nodes, and a
 * node named "/" that ends them.
 */
import { JuteError } from '../../core/jute/jute-error.ts'

const INT_BYTES = 4
const SESSION_BYTES = 12
const LONG_BYTES = 8
/** ACL index and persisted Stat of a node. */
const NODE_TAIL_BYTES = 8 + 60
const SLASH = 0x2f
/** Longest field that is believed: nothing is allocated for it. */
const FIELD_BYTES_MAX = 0x4000_0000

/** What the walk wants next: that many bytes passed over, or an int or a byte read. */
type Want = { readonly skip: number } | 'int' | 'byte'

export class SnapshotBody {
  readonly #walk: Generator<Want, void, number> = walk()
  #want: Want
  #left = 0
  #value = 0
  #isDone = false

  constructor() {
    this.#want = { skip: 0 }
    this.#advance(0)
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** How many of these bytes belong to the snapshot. Throws JuteError for what none is. */
  push(bytes: Uint8Array): number {
    let at = 0
    while (!this.#isDone && at < bytes.length) {
      const want = this.#want
      if (typeof want === 'object') {
        const skipped = Math.min(this.#left, bytes.length - at)
        at += skipped
        this.#left -= skipped
      } else {
        this.#value = (this.#value << 8) | (bytes[at] as number)
        at++
        this.#left--
      }
      if (this.#left === 0) this.#advance(this.#value)
    }
    return at
  }

  #advance(value: number): void {
    for (;;) {
      const { done, value: want } = this.#walk.next(value)
      this.#value = 0
      if (done === true) {
        this.#isDone = true
        return
      }
      this.#want = want
      this.#left = typeof want === 'object' ? want.skip : want === 'int' ? INT_BYTES : 1
      if (this.#left > 0) return
    }
  }
}

function* walk(): Generator<Want, void, number> {
  const sessions = count(yield 'int', 'sessions')
  yield { skip: sessions * SESSION_BYTES }
  for (let lists = count(yield 'int', 'ACL lists'); lists > 0; lists--) {
    yield { skip: LONG_BYTES }
    for (let acls = count(yield 'int', 'ACLs'); acls > 0; acls--) {
      yield { skip: INT_BYTES }
      yield { skip: count(yield 'int', 'bytes of a scheme') }
      yield { skip: count(yield 'int', 'bytes of an id') }
    }
  }
  for (;;) {
    const length = count(yield 'int', 'bytes of a path')
    if (length === 1) {
      if ((yield 'byte') !== SLASH) throw new JuteError('a path of one byte in a snapshot')
      return
    }
    yield { skip: length }
    yield { skip: count(yield 'int', 'bytes of data') }
    yield { skip: NODE_TAIL_BYTES }
  }
}

/** −1 stands for a null, which has no bytes either. */
function count(n: number, what: string): number {
  if (n < -1 || n > FIELD_BYTES_MAX) throw new JuteError(`${n} ${what} in a snapshot`)
  return Math.max(0, n)
}
