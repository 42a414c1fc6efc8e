/** Links, channels, clocks and a wire client of memory for the tests of the runtime. */
import { MemoryStorage } from '../../src/adapters/memory/storage.ts'
import type { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import { toServerId } from '../../src/core/base/zxid.ts'
import { emptySnapshotChunk } from '../../src/core/server/member-machine.ts'
import type { MemberConfig } from '../../src/core/server/member-machine.ts'
import type { Moment, PersistEffect } from '../../src/core/zab/effect.ts'
import type { ClientChannel } from '../../src/ports/client-channel.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Link } from '../../src/ports/link.ts'
import { TICK_INTERVAL_MS } from '../../src/runtime/member.ts'
import { TestClient } from '../core/server/test-client.ts'

/** Lets promises, and what they queue, run out. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
}

export class ManualTime implements Clock {
  #nowMs = 1000
  readonly #runs = new Set<() => void>()

  now(): Moment {
    return { elapsedMs: this.#nowMs, wallMs: 1_700_000_000_000 + this.#nowMs }
  }

  every = (_intervalMs: number, run: () => void): (() => void) => {
    this.#runs.add(run)
    return () => this.#runs.delete(run)
  }

  get timers(): number {
    return this.#runs.size
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_INTERVAL_MS) {
      this.#nowMs += TICK_INTERVAL_MS
      for (const run of [...this.#runs]) run()
      await settle()
    }
  }

  async until(what: string, holds: () => boolean, limitMs = 10_000): Promise<void> {
    for (let passed = 0; !holds(); passed += TICK_INTERVAL_MS) {
      if (passed > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
      await this.pass(TICK_INTERVAL_MS)
    }
  }
}

/** One end of a pair; what comes before `onMessage` is assigned is kept. */
export class MemoryEnd implements Link, ClientChannel {
  readonly bufferedBytes = 0
  other: MemoryEnd | null = null
  closedBecause: string | null = null
  /** Open, but nothing comes through any more. */
  isDead = false
  onWritable: () => void = () => {}
  onClose: (reason: string) => void = () => {}
  #waiting: Uint8Array[] = []
  #onMessage: ((bytes: Uint8Array) => void) | null = null

  set onMessage(run: (bytes: Uint8Array) => void) {
    this.#onMessage = run
    for (const bytes of this.#waiting.splice(0)) run(bytes)
  }

  send(bytes: Uint8Array): void {
    if (this.closedBecause !== null) return
    const { other } = this
    queueMicrotask(() => other?.receive(bytes))
  }

  receive(bytes: Uint8Array): void {
    if (this.closedBecause !== null || this.isDead) return
    if (this.#onMessage === null) this.#waiting.push(bytes)
    else this.#onMessage(bytes)
  }

  close(reason: string): void {
    if (this.closedBecause !== null) return
    this.closedBecause = reason
    queueMicrotask(() => this.onClose(reason))
    const { other } = this
    queueMicrotask(() => other?.close(reason))
  }
}

export function memoryPair(): [MemoryEnd, MemoryEnd] {
  const pair: [MemoryEnd, MemoryEnd] = [new MemoryEnd(), new MemoryEnd()]
  pair[0].other = pair[1]
  pair[1].other = pair[0]
  return pair
}

/** A client at one end of a channel; `attach` takes the other end. */
export function clientOver(attach: (channel: ClientChannel) => void): TestClient {
  const [here, there] = memoryPair()
  const wire = {
    open: () => attach(there),
    data: (_id: number, bytes: Uint8Array) => here.send(bytes),
    closed: () => here.close('client closed'),
  }
  const client = new TestClient(wire, 1)
  here.onMessage = (bytes) => client.onBytes(bytes)
  here.onClose = (reason) => client.onClosed(reason)
  return client
}

/** Keeps every batch that it was given. */
export class WatchedStorage extends MemoryStorage {
  readonly batches: (readonly PersistEffect[])[] = []
  recoveries = 0

  override async write(batch: readonly PersistEffect[]): Promise<void> {
    this.batches.push(batch)
    return super.write(batch)
  }

  override async recover(): ReturnType<MemoryStorage['recover']> {
    this.recoveries++
    return super.recover()
  }

  get appends(): number[] {
    return this.batches
      .map((batch) => batch.filter(({ kind }) => kind === 'append').length)
      .filter((count) => count > 0)
  }
}

/** As a founding leaves it. */
export function foundDisk(disk: MemoryDisk): MemoryDisk {
  disk.claim('founder')
  disk.pinFoundingSync(new Uint8Array([1]), emptySnapshotChunk())
  return disk
}

export function configOf(sid: number, size: number): MemberConfig {
  return {
    sid: toServerId(sid),
    voters: Array.from({ length: size }, (_, i) => toServerId(i + 1)),
    clusterId: 'test',
    sessionKey: new Uint8Array(32).fill(7),
    seed: sid,
    tickTimeMs: 2000,
  }
}
