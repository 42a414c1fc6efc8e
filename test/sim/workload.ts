/**
 * What a simulated client asks for: registers, queues, locks; few names, so that clients collide.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import type { MultiOp } from '../../src/core/jute/multi.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../src/core/jute/perms.ts'
import type { SimCall } from './client-wire.ts'
import type { Outcome } from '../../src/history/operation.ts'

const REGISTERS = ['/r0', '/r1', '/r2', '/r3']
const PARENTS = ['/q', '/e', '/d']
const CHILDREN = ['/d/a', '/d/b', '/d/c']
/** Bytes of a long value, rarely. */
const LONG_DATA_BYTES = 20_000
const CHANCE_OF_CLOSE = 0.004

const PERSISTENT = 0
const EPHEMERAL = 1
const SEQUENTIAL = 2

/** Of a client that never writes: it may stay with a server that nobody hears. */
export class Readings {
  readonly #prng: Prng

  constructor(prng: Prng) {
    this.#prng = prng
  }

  newSession(): void {}

  next(): SimCall {
    const prng = this.#prng
    const path = prng.pick(prng.bool(0.7) ? REGISTERS : CHILDREN)
    const choice = prng.int(100)
    if (choice < 50) return { kind: 'get', path, watch: prng.bool(0.3) }
    if (choice < 75) return { kind: 'exists', path, watch: prng.bool(0.4) }
    return { kind: 'children', path: prng.pick([...PARENTS, '/']), watch: prng.bool(0.3) }
  }

  learn(): void {}
}

export class Workload {
  readonly #prng: Prng
  readonly #client: number
  readonly #longDataChance: number
  readonly #versions = new Map<string, number>()
  readonly #queued: string[] = []
  #counter = 0
  #toPrepare = [...PARENTS]

  constructor(prng: Prng, client: number, longDataChance: number) {
    this.#longDataChance = longDataChance
    this.#prng = prng
    this.#client = client
  }

  newSession(): void {
    this.#toPrepare = [...PARENTS]
  }

  next(): SimCall {
    const prng = this.#prng
    const parent = this.#toPrepare.shift()
    if (parent !== undefined) return this.#create(parent, PERSISTENT)
    if (prng.bool(CHANCE_OF_CLOSE)) return { kind: 'close' }
    const choice = prng.int(100)
    if (choice < 22) return this.#set(this.#path())
    if (choice < 40) return { kind: 'get', path: this.#path(), watch: prng.bool(0.3) }
    if (choice < 50) return { kind: 'exists', path: this.#path(), watch: prng.bool(0.4) }
    if (choice < 60) {
      return { kind: 'children', path: prng.pick([...PARENTS, '/']), watch: prng.bool(0.3) }
    }
    if (choice < 72)
      return this.#create(this.#path(), this.#prng.bool(0.3) ? EPHEMERAL : PERSISTENT)
    if (choice < 80) return this.#create('/q/n-', SEQUENTIAL + (prng.bool(0.3) ? EPHEMERAL : 0))
    if (choice < 85) return this.#create(`/e/c${this.#client}`, EPHEMERAL)
    if (choice < 93) return this.#delete()
    if (choice < 97) return { kind: 'multi', ops: this.#multi() }
    return { kind: 'sync', path: this.#path() }
  }

  learn(call: SimCall, outcome: Outcome): void {
    if (outcome.stat !== undefined && 'path' in call) {
      this.#versions.set(call.path, outcome.stat.version)
    }
    if (call.kind === 'create' && outcome.path?.startsWith('/q/') === true) {
      this.#queued.push(outcome.path)
    }
  }

  #path(): string {
    return this.#prng.pick(this.#prng.bool(0.7) ? REGISTERS : CHILDREN)
  }

  #data(): Uint8Array {
    const text = `${this.#client}.${this.#counter++}`
    const isLong = this.#prng.bool(this.#longDataChance)
    return encodeUtf8(isLong ? text.padEnd(LONG_DATA_BYTES, '.') : text)
  }

  #version(path: string): number {
    return this.#prng.bool(0.4) ? (this.#versions.get(path) ?? 0) : -1
  }

  #create(path: string, flags: number): SimCall {
    return { kind: 'create', path, data: this.#data(), flags }
  }

  #set(path: string): SimCall {
    return { kind: 'set', path, data: this.#data(), version: this.#version(path) }
  }

  #delete(): SimCall {
    const prng = this.#prng
    const queued = prng.bool(0.4) ? this.#queued.shift() : undefined
    const path = queued ?? (prng.bool(0.1) ? prng.pick(PARENTS) : this.#path())
    return { kind: 'delete', path, version: queued === undefined ? this.#version(path) : -1 }
  }

  #multi(): MultiOp[] {
    const ops: MultiOp[] = []
    for (let left = 1 + this.#prng.int(3); left > 0; left--) ops.push(this.#multiOp())
    return ops
  }

  #multiOp(): MultiOp {
    const path = this.#path()
    const version = this.#version(path)
    switch (this.#prng.int(4)) {
      case 0: {
        const request = { path, data: this.#data(), acl: OPEN_ACL_UNSAFE, flags: PERSISTENT }
        return { type: OpCode.create, request }
      }
      case 1: {
        const sequential = { path: '/q/m-', data: this.#data(), acl: OPEN_ACL_UNSAFE }
        return { type: OpCode.create, request: { ...sequential, flags: SEQUENTIAL } }
      }
      case 2:
        return { type: OpCode.setData, request: { path, data: this.#data(), version } }
      default:
        return { type: OpCode.check, request: { path, version } }
    }
  }
}
