/**
 * A room in memory: tabs that run the founding rules, disks that outlive them, links, a broker that
 * names the first candidate, and a queue of everything that is under way, so that a test can crash
 * a tab between any two steps. Signatures are a hash that only the model makes.
 */
import { assert } from '../../../src/core/base/assert.ts'
import { type Zxid, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import { concat, equal } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/sha256.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type {
  FoundingDecision,
  FoundingInput,
  FoundingStatus,
} from '../../../src/core/founding/founding-effect.ts'
import {
  foundingBytesToSign,
  parseFoundingRecord,
  type SignedFoundingRecord,
} from '../../../src/core/founding/founding-record.ts'
import { FoundingRules } from '../../../src/core/founding/founding-rules.ts'
import { creatorHash, incarnationOf } from '../../../src/core/founding/key-names.ts'

export interface RoomLinkFacts {
  readonly room: string
  readonly size: number
  readonly creator: string | null
  readonly cluster: string | null
}

export function keyOf(name: string): Uint8Array {
  return concat([Uint8Array.of(4), sha256(encodeUtf8(name)), sha256(encodeUtf8(`${name}'`))])
}

export function modelSignature(key: Uint8Array, body: Uint8Array): Uint8Array {
  return sha256(concat([key, foundingBytesToSign(body)]))
}

/** What `name`'s page would have in its address when it made the room. */
export function linkBy(name: string, size = 3, room = 'room'): RoomLinkFacts {
  return { room, size, creator: creatorHash(keyOf(name)), cluster: null }
}

export class ModelTab {
  readonly name: string
  readonly link: RoomLinkFacts
  readonly key: Uint8Array
  readonly incarnation: string
  /** The disk: outlives `rules`. */
  stored: SignedFoundingRecord | null = null
  /** State that it was given to found an ensemble with. */
  origin: Zxid = ZXID_NONE
  rules: FoundingRules | null = null
  /** Decisions of this life that were not carried out yet. */
  todo: FoundingDecision[] = []
  /** Carried out in this life. */
  done: FoundingDecision[] = []
  readonly linked = new Set<ModelTab>()

  constructor(name: string, link: RoomLinkFacts) {
    this.name = name
    this.link = link
    this.key = keyOf(name)
    this.incarnation = incarnationOf(this.key)
  }

  get status(): FoundingStatus {
    assert(this.rules !== null, `${this.name} is closed`)
    return this.rules.status()
  }

  /** The server id this life started with; undefined = not started. */
  get sid(): number | null | undefined {
    const start = this.done.find((decision) => decision.kind === 'start')
    return start?.kind === 'start' ? start.sid : undefined
  }

  get refusals(): string[] {
    return this.done.flatMap((decision) => (decision.kind === 'refuse' ? [decision.reason] : []))
  }

  input(input: FoundingInput): void {
    if (this.rules === null) return
    this.rules.step(input)
    this.todo.push(...this.rules.takeDecisions())
  }
}

export class RoomModel {
  readonly tabs = new Map<string, ModelTab>()
  /** Tabs at the broker, first first. */
  #arrivals: ModelTab[] = []
  #randomness = 0
  /** Every body that was ever signed, whoever saw it. */
  readonly signedBodies: Uint8Array[] = []

  add(name: string, link: RoomLinkFacts): ModelTab {
    const tab = new ModelTab(name, link)
    this.tabs.set(name, tab)
    return tab
  }

  /** A start or restart of the page: only the disk is there. Links to everyone open. */
  open(tab: ModelTab): void {
    assert(tab.rules === null, `${tab.name} is open`)
    tab.todo = []
    tab.done = []
    const stored = tab.stored === null ? null : parseFoundingRecord(tab.stored.envelope)
    tab.rules = new FoundingRules({
      room: tab.link.room,
      size: tab.link.size,
      linkCreator: tab.link.creator,
      linkCluster: tab.link.cluster,
      publicKey: tab.key,
      stored,
      origin: stored === null ? tab.origin : ZXID_NONE,
      fresh: { clusterId: this.#random(16), sessionKey: this.#random(32) },
    })
    tab.todo.push(...tab.rules.takeDecisions())
    this.#arrivals.push(tab)
    for (const other of this.tabs.values()) if (other !== tab) this.connect(tab, other)
    this.#nameFirst()
  }

  /** Crash or close: nothing is awaited, what was under way is lost. */
  close(tab: ModelTab): void {
    tab.rules = null
    tab.todo = []
    for (const other of [...tab.linked]) this.disconnect(tab, other)
    this.#arrivals = this.#arrivals.filter((other) => other !== tab)
    this.#nameFirst()
  }

  reload(tab: ModelTab): void {
    this.close(tab)
    this.open(tab)
  }

  /** Tabs of one room with one secret reach each other; the model's room is that. */
  connect(a: ModelTab, b: ModelTab): void {
    if (a.rules === null || b.rules === null) return
    a.linked.add(b)
    b.linked.add(a)
    const [aHolds, bHolds] = [a.rules.holds(), b.rules.holds()]
    a.input({ kind: 'candidate', publicKey: b.key, holds: bHolds })
    b.input({ kind: 'candidate', publicKey: a.key, holds: aHolds })
  }

  disconnect(a: ModelTab, b: ModelTab): void {
    a.linked.delete(b)
    b.linked.delete(a)
    a.input({ kind: 'candidate-gone', incarnation: b.incarnation })
    b.input({ kind: 'candidate-gone', incarnation: a.incarnation })
  }

  /** The broker restarts empty: everybody comes back, in this order. */
  restartBroker(order: readonly ModelTab[]): void {
    this.#arrivals = order.filter((tab) => tab.rules !== null)
    this.#nameFirst()
  }

  /** Carries out the oldest thing that `tab` decided. False when there is none. */
  perform(tab: ModelTab): boolean {
    const decision = tab.todo.shift()
    if (decision === undefined) return false
    tab.done.push(decision)
    switch (decision.kind) {
      case 'sign':
        this.signedBodies.push(decision.body)
        tab.input({ kind: 'signature', signature: modelSignature(tab.key, decision.body) })
        break
      case 'pin':
        if (tab.stored !== null)
          assert(equal(tab.stored.body, decision.signed.body), 'pinned twice')
        tab.stored = decision.signed
        tab.input({ kind: 'pinned' })
        break
      case 'send-record':
        this.#deliver(tab, decision.to, decision.envelope)
        break
      case 'start':
        assert(tab.stored !== null, `${tab.name} starts before its record is on disk`)
        break
      case 'refuse':
        break
    }
    return true
  }

  /** Runs until nothing is under way. */
  settle(): void {
    for (let moved = true; moved;) {
      moved = false
      for (const tab of this.tabs.values()) if (this.perform(tab)) moved = true
    }
  }

  /** Different records that any disk holds. */
  ensembles(): number {
    const bodies: Uint8Array[] = []
    for (const { stored } of this.tabs.values()) {
      if (stored !== null && !bodies.some((body) => equal(body, stored.body))) {
        bodies.push(stored.body)
      }
    }
    return bodies.length
  }

  #deliver(from: ModelTab, to: string, envelope: Uint8Array): void {
    const target = [...from.linked].find((tab) => tab.incarnation === to)
    const signed = parseFoundingRecord(envelope)
    assert(signed !== null, 'a record that does not parse was spread')
    const expected = modelSignature(signed.record.creatorKey, signed.body)
    assert(equal(signed.signature, expected), 'a record without a valid signature was spread')
    assert(from.stored !== null, 'spread before it was durable')
    const signer = signed.record.creatorKey
    target?.input({ kind: 'record', from: from.incarnation, signed, signer })
  }

  #nameFirst(): void {
    const first = this.#arrivals[0]
    if (first === undefined) return
    for (const tab of this.#arrivals) {
      tab.input({ kind: 'first-candidate', incarnation: first.incarnation })
    }
  }

  #random(length: number): Uint8Array {
    const block = sha256(encodeUtf8(`random ${++this.#randomness}`))
    return block.slice(0, length)
  }
}
