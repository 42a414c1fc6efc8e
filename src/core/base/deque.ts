/** A queue open at both ends, in a ring whose size is a power of two. All operations are O(1). */

import { assert } from './assert.ts'

const INITIAL_CAPACITY = 8

export class Deque<T> implements Iterable<T> {
  #ring: (T | undefined)[]
  #head = 0
  #length = 0

  constructor(items: Iterable<T> = []) {
    this.#ring = new Array<T | undefined>(INITIAL_CAPACITY)
    for (const item of items) this.pushBack(item)
  }

  get length(): number {
    return this.#length
  }

  pushBack(item: T): void {
    this.#makeRoom()
    this.#ring[this.#slot(this.#length)] = item
    this.#length++
  }

  pushFront(item: T): void {
    this.#makeRoom()
    this.#head = this.#slot(-1)
    this.#ring[this.#head] = item
    this.#length++
  }

  popFront(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = this.#slot(1)
    this.#length--
    return item
  }

  popBack(): T | undefined {
    if (this.#length === 0) return undefined
    const slot = this.#slot(this.#length - 1)
    const item = this.#ring[slot]
    this.#ring[slot] = undefined
    this.#length--
    return item
  }

  peekFront(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  peekBack(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#slot(this.#length - 1)]
  }

  /** The item at `index` from the front; the index must be inside. */
  at(index: number): T {
    // The message is made only when it is needed: this is in every inner loop.
    if (!(index >= 0 && index < this.#length)) assert(false, `index ${index} of ${this.#length}`)
    return this.#ring[this.#slot(index)] as T
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(INITIAL_CAPACITY)
    this.#head = 0
    this.#length = 0
  }

  /** Front to back. The deque must not change while it is walked. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.at(i)
  }

  #slot(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1)
  }

  #makeRoom(): void {
    if (this.#length < this.#ring.length) return
    const wider = new Array<T | undefined>(this.#ring.length * 2)
    for (let i = 0; i < this.#length; i++) wider[i] = this.#ring[this.#slot(i)]
    this.#ring = wider
    this.#head = 0
  }
}
