/**
 * WatchOrder (N19–N21): an event comes before any reply that shows the change, and events of one
 * connection come in zxid order. WatchOneShot (N14): one event per watch, for a change that
 * happened after it was set. WatchComplete (N24): no change is missed, also across servers, where
 * setWatches catches up by comparing zxids.
 */
import { ErrorCode } from '../core/jute/error-code.ts'
import { EventType } from '../core/jute/event-type.ts'
import type { JudgedHistory, SentWatches } from './history-events.ts'
import type { Call, Op, Outcome } from './operation.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { hex, Rule } from './rule.ts'

type WatchKind = 'data' | 'exist' | 'child'

interface Armed {
  readonly path: string
  readonly kind: WatchKind
  /** State that the client knew when it was set. */
  sinceZxid: bigint
}

class ClientBook {
  readonly armed = new Map<string, Armed>()
  /** Newest zxid shown by a reply, and by an event of this connection. */
  shownZxid = 0n
  eventZxid = 0n
  /** Where the client stood when it moved; null once the new server took its watches over. */
  movedAt: bigint | null = null
  /** Paths with watches that stay (N4): their events are not judged. */
  readonly staying = new Set<string>()
  /** The state was replaced meanwhile: nobody promises what becomes of watches from before. */
  isExcused = false

  /** A client that dropped watches by itself does not send them again. */
  keepOnly(sent: SentWatches): void {
    for (const [key, { kind, path }] of this.armed) {
      if (!sent[kind].includes(path)) this.armed.delete(key)
    }
  }

  stays(path: string): boolean {
    if (this.staying.size === 0) return false
    if (this.staying.has(path) || this.staying.has('/')) return true
    return [...this.staying].some((above) => path.startsWith(`${above}/`))
  }
}

export class Watches {
  readonly #tree: ReferenceTree
  readonly #order: Rule
  readonly #oneShot: Rule
  readonly #complete: Rule
  readonly #books = new Map<number, ClientBook>()

  constructor(history: JudgedHistory, tree: ReferenceTree) {
    this.#tree = tree
    this.#order = new Rule(history, 'WatchOrder')
    this.#oneShot = new Rule(history, 'WatchOneShot')
    this.#complete = new Rule(history, 'WatchComplete')
    const { probe } = history
    probe.on('committed', ({ replaced }) => {
      if (replaced === undefined) return
      for (const book of this.#books.values()) book.isExcused = true
    })
    probe.on('session-opened', ({ client }) => this.#books.set(client, new ClientBook()))
    probe.on('connected', ({ client }) => {
      const book = this.#book(client)
      book.eventZxid = 0n
      book.movedAt = book.shownZxid
    })
    probe.on('watches-set', ({ client, zxid, sent }) => this.#onSet(client, zxid, sent))
    probe.on('completed', ({ op, outcome }) => this.#onReply(op, outcome))
    probe.on('watch-event', (event) => this.#onEvent(event))
    probe.on('finished', () => {
      for (const client of this.#books.keys()) {
        if (history.isConnected(client)) this.#missed(client, this.#tree.last)
      }
    })
  }

  #book(client: number): ClientBook {
    let book = this.#books.get(client)
    if (book === undefined) {
      book = new ClientBook()
      this.#books.set(client, book)
    }
    return book
  }

  #onReply({ client, call }: Op, { zxid, err, isReadOnly }: Outcome): void {
    // Its state may be undone: what the next server tells is not compared with it.
    if (isReadOnly === true) return
    const book = this.#book(client)
    this.#missed(client, zxid)
    book.shownZxid = zxid
    if (call.kind === 'close' && err === ErrorCode.OK) this.#books.delete(client)
    if (call.kind === 'other' && err === ErrorCode.OK) onOther(book, call)
    if (call.kind !== 'get' && call.kind !== 'exists' && call.kind !== 'children') return
    if (!call.watch) return
    const { path } = call
    if (err === ErrorCode.OK)
      this.#arm(book, path, call.kind === 'children' ? 'child' : 'data', zxid)
    else if (call.kind === 'exists' && err === ErrorCode.NONODE)
      this.#arm(book, path, 'exist', zxid)
  }

  #arm(book: ClientBook, path: string, kind: WatchKind, sinceZxid: bigint): void {
    book.armed.set(`${kind} ${path}`, { path, kind, sinceZxid })
  }

  /**
   * A reply shows the state at `zxid`: every watch that a change up to there fired must be gone.
   */
  #missed(client: number, zxid: bigint): void {
    const book = this.#book(client)
    if (book.movedAt !== null || book.isExcused) return
    for (const { path, kind, sinceZxid } of book.armed.values()) {
      const changed = this.#tree.changedBetween(path, tableOf(kind), sinceZxid, zxid)
      this.#order.holds(changed === null, () => {
        const what = `${kind} watch on ${path} set at ${hex(sinceZxid)}`
        return `client ${client} sees ${hex(zxid)} before the event of its ${what}`
      })
    }
  }

  #onEvent(event: {
    readonly client: number
    readonly zxid: bigint
    readonly type: number
    readonly path: string
  }): void {
    const { client, zxid, type, path } = event
    const book = this.#book(client)
    const what = (): string => `client ${client} gets event ${type} of ${path} at ${hex(zxid)}`
    const isCatchUp = zxid === -1n
    if (isCatchUp) {
      this.#oneShot.holds(book.movedAt !== null, () => `${what()}, and set no watches`)
    } else {
      const isInOrder = zxid >= book.eventZxid && zxid > book.shownZxid
      this.#order.holds(isInOrder, () => {
        const shown = `a reply of ${hex(book.shownZxid)}`
        return `${what()} after an event of ${hex(book.eventZxid)}, ${shown}`
      })
      book.eventZxid = zxid
    }
    const kinds = consumedBy(type)
    const armed = kinds
      .map((kind) => book.armed.get(`${kind} ${path}`))
      .filter((a) => a !== undefined)
    for (const kind of kinds) book.armed.delete(`${kind} ${path}`)
    if (book.isExcused || book.stays(path)) return
    this.#oneShot.holds(armed.length > 0, () => `${what()} without a watch`)
    if (isCatchUp) return
    this.#oneShot.holds(
      armed.some((each) => this.#fires(each, zxid)),
      () => {
        return `${what()}, which is not the first change after ${hex(armed[0]?.sinceZxid ?? 0n)}`
      },
    )
  }

  /** The event's zxid must be the first change after the watch was set. */
  #fires({ path, kind, sinceZxid }: Armed, zxid: bigint): boolean {
    const table = tableOf(kind)
    const isChange = this.#tree.changedBetween(path, table, zxid - 1n, zxid) === zxid
    return isChange && this.#tree.changedBetween(path, table, sinceZxid, zxid - 1n) === null
  }

  /** N24: what the new server must have told, by its state at `zxid`; the rest is armed again. */
  #onSet(client: number, zxid: bigint, sent: SentWatches | undefined): void {
    const book = this.#book(client)
    if (sent !== undefined) book.keepOnly(sent)
    const relative = book.movedAt ?? 0n
    book.movedAt = null
    if (zxid === 0n || book.isExcused) return
    if (zxid > book.shownZxid) book.shownZxid = zxid
    for (const armed of book.armed.values()) {
      this.#complete.holds(!this.#mustCatchUp(armed, relative, zxid), () => {
        const since = `seen ${hex(relative)}, the server is at ${hex(zxid)}`
        return `client ${client} was not told of ${armed.kind} ${armed.path}: ${since}`
      })
      if (zxid > armed.sinceZxid) armed.sinceZxid = zxid
    }
  }

  #mustCatchUp({ path, kind }: Armed, relative: bigint, zxid: bigint): boolean {
    const node = this.#tree.at(path, zxid)
    if (kind === 'exist') return node !== null
    if (node === null) return true
    if (kind === 'data') return node.mzxid > relative
    const changed = this.#tree.changedBetween(path, 'child', relative, zxid)
    return changed !== null || node.czxid > relative
  }
}

function onOther(book: ClientBook, { path, watches }: Extract<Call, { kind: 'other' }>): void {
  if (path === undefined) return
  if (watches === 'stay') book.staying.add(path)
  if (watches === 'go') {
    book.staying.delete(path)
    for (const kind of ['data', 'exist', 'child']) book.armed.delete(`${kind} ${path}`)
  }
}

function tableOf(kind: WatchKind): 'data' | 'child' {
  return kind === 'child' ? 'child' : 'data'
}

/** N33. */
function consumedBy(type: number): readonly WatchKind[] {
  if (type === EventType.NodeChildrenChanged) return ['child']
  if (type === EventType.NodeDeleted) return ['data', 'exist', 'child']
  return ['data', 'exist']
}
