/**
 * Keeps every session's requests in order while writes are away at the leader (Q61, Q63).
 *
 * One queue per session that has a write in flight: what it sends meanwhile waits behind it, and
 * nobody else does. Sessions without a write in flight have no queue and read at once.
 *
 * Invariant: the head of every queue is a write or a sync that waits for its commit.
 */
import { Deque } from '../base/deque.ts'
import type { SessionId } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import type { TxnHeader } from '../jute/txn-records.ts'
import { waitsForLeader, type Request } from './request.ts'

export class CommitOrder {
  readonly #queues = new Map<SessionId, Deque<Request>>()
  readonly #run: (request: Request) => void
  readonly #largeBytes: number
  #size = 0
  #bytes = 0
  #bytesOfLarge = 0

  /**
   * `run` executes and answers a read, or answers a sync whose moment has come. Requests above
   * `largeBytes` are large; −1: none.
   */
  constructor(run: (request: Request) => void, largeBytes = -1) {
    this.#run = run
    this.#largeBytes = largeBytes
  }

  /** Requests that wait. */
  get size(): number {
    return this.#size
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of the large ones among them. */
  get bytesOfLarge(): number {
    return this.#bytesOfLarge
  }

  /** A write or sync waits, a read runs at once unless its session has a queue. */
  submit(request: Request): void {
    let queue = this.#queues.get(request.session)
    if (queue === undefined) {
      if (!waitsForLeader(request.type)) {
        this.#run(request)
        return
      }
      queue = new Deque()
      this.#queues.set(request.session, queue)
    }
    queue.pushBack(request)
    this.#size++
    this.#bytes += request.body.length
    this.#bytesOfLarge += this.#largeBytesOf(request)
    if (request.connection !== null) request.connection.outstanding++
  }

  /**
   * The waiting request that this transaction answers, or null when it is someone else's: another
   * server's client, or a session that moved and left a request behind. What waited before it runs
   * first, on the state without the transaction. `release` must follow once it is answered.
   */
  take(header: TxnHeader): Request | null {
    const queue = this.#queues.get(header.clientId as SessionId)
    if (queue === undefined) return null
    const index = firstWrite(queue)
    if (index === queue.length) return null
    const head = queue.at(index)
    if (!isAnswer(header, head)) {
      this.#endIfOvertaken(header, head, queue)
      return null
    }
    // Everything in flight before this write has committed, so syncs before it are satisfied too.
    for (let i = 0; i < index; i++) this.#run(this.#shift(queue))
    return this.#shift(queue)
  }

  /** Runs what waited for the session's last answer, up to its next write or sync. */
  release(session: SessionId): void {
    const queue = this.#queues.get(session)
    if (queue === undefined) return
    for (;;) {
      const head = queue.peekFront()
      if (head === undefined) {
        if (this.#queues.get(session) === queue) this.#queues.delete(session)
        return
      }
      if (waitsForLeader(head.type)) return
      this.#run(this.#shift(queue))
    }
  }

  /** The leader answered a sync: everything before it is committed and applied here (Q64). */
  syncAnswered(request: Request): void {
    if (request.done) return
    const queue = this.#queues.get(request.session)
    if (queue?.peekFront() !== request) return
    this.#run(this.#shift(queue))
    this.release(request.session)
  }

  /**
   * Is it the answer to a later request than the one whose turn it is? Then a link without order
   * brought the leader the two the other way round, or lost the first. Nobody could be answered in
   * turn any more, nor whoever comes with the session afterwards: the connection ends.
   */
  #endIfOvertaken(header: TxnHeader, head: Request, queue: Deque<Request>): void {
    const { connection } = head
    if (connection === null) return
    const requests = [...queue]
    const isOf = (request: Request): boolean => request.connection === connection
    if (!requests.some((request) => isOf(request) && isAnswer(header, request))) return
    for (const request of requests.filter(isOf)) this.#leave(request)
    const others = requests.filter((request) => !isOf(request))
    this.#queues.set(header.clientId as SessionId, new Deque(others))
    connection.close('io_exception')
  }

  #shift(queue: Deque<Request>): Request {
    return this.#leave(queue.popFront() as Request)
  }

  #leave(request: Request): Request {
    this.#size--
    this.#bytes -= request.body.length
    this.#bytesOfLarge -= this.#largeBytesOf(request)
    if (request.connection !== null) request.connection.outstanding--
    request.done = true
    return request
  }

  #largeBytesOf({ body }: Request): number {
    return this.#largeBytes >= 0 && body.length > this.#largeBytes ? body.length : 0
  }
}

function firstWrite(queue: Deque<Request>): number {
  let i = 0
  while (i < queue.length && !changesState(queue.at(i).type)) i++
  return i
}

function changesState(type: number): boolean {
  return type !== OpCode.sync && waitsForLeader(type)
}

/**
 * The leader knows the zxid that it gave the request. A learner compares session (the queue), cxid
 * and type; a failed request comes back as an error transaction (D31).
 */
function isAnswer(header: TxnHeader, request: Request): boolean {
  if (request.zxid !== null) return request.zxid === header.zxid
  if (request.cxid !== header.cxid) return false
  return request.type === header.type || header.type === OpCode.error
}
