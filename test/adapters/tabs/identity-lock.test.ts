import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { MemoryStorage } from '../../../src/adapters/memory/storage.ts'
import {
  IDENTITIES_PER_ROOM_MAX,
  type IdentitySource,
  type OpenableIdentity,
  type OpenedIdentity,
  openIdentity,
  RELOAD_LOCK_WAIT_MS,
} from '../../../src/adapters/tabs/identity-lock.ts'
import { type MemberMeta, StorageError, type StorageErrorCode } from '../../../src/ports/storage.ts'
import { FakeLocks } from './fake-locks.ts'
import { eventually } from '../../eventually.ts'

/** The identities of one origin, on memory disks. */
class Origin implements IdentitySource<{ incarnation: string }> {
  readonly disks = new Map<string, MemoryDisk>()
  readonly broken = new Map<string, StorageErrorCode>()
  #made = 0

  async list(): Promise<string[]> {
    return [...this.disks.keys()].sort()
  }

  async peek(incarnation: string): Promise<MemberMeta> {
    const code = this.broken.get(incarnation)
    if (code !== undefined) throw new StorageError(code, 'broken')
    return this.disks.get(incarnation)!.metaSync()
  }

  async open(incarnation: string): Promise<OpenableIdentity> {
    const disk = this.disks.get(incarnation)!
    const storage = new MemoryStorage(disk, { token: crypto.randomUUID() })
    const publicKey = new Uint8Array(65)
    return { incarnation, publicKey, sign: async (b) => b, storage, meta: disk.metaSync() }
  }

  async generate(): Promise<{ incarnation: string }> {
    return { incarnation: `new${++this.#made}` }
  }

  async create({ incarnation }: { incarnation: string }): Promise<OpenableIdentity> {
    this.add(incarnation)
    return this.open(incarnation)
  }

  add(incarnation: string, isFounded = false): void {
    const disk = new MemoryDisk()
    if (isFounded) disk.pinFoundingSync(Uint8Array.of(1), Uint8Array.of(1))
    this.disks.set(incarnation, disk)
  }
}

let origin: Origin

beforeEach(() => {
  origin = new Origin()
  vi.stubGlobal('navigator', { locks: new FakeLocks().manager })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

function open(previousIncarnation?: string, room = 'room'): Promise<OpenedIdentity> {
  return openIdentity({ room, source: origin, previousIncarnation })
}

describe('which identity a tab takes', () => {
  it('makes one where none is, and comes back to it', async () => {
    const first = await open()
    expect(first.incarnation).toBe('new1')
    await first.release()
    const again = await open()
    expect([again.incarnation, again.meta.lives]).toEqual(['new1', 2])
  })

  it('takes the one it had before, a better one notwithstanding', async () => {
    origin.add('a')
    origin.add('b', true)
    expect((await open('a')).incarnation).toBe('a')
  })

  it('waits for a lock that the page before frees late', async () => {
    const before = await open()
    origin.add('other', true)
    const reloaded = open(before.incarnation)
    setTimeout(() => void before.release(), 50)
    expect((await reloaded).incarnation).toBe(before.incarnation)
  })

  it('goes on after a bounded moment when the other tab is there to stay', async () => {
    const original = await open()
    const start = performance.now()
    const duplicate = await open(original.incarnation)
    expect(duplicate.incarnation).toBe('new2')
    expect(performance.now() - start).toBeGreaterThanOrEqual(RELOAD_LOCK_WAIT_MS - 20)
  })

  it('prefers a machine of the ensemble to a spare one', async () => {
    origin.add('a')
    origin.add('b', true)
    origin.add('c')
    expect((await open()).incarnation).toBe('b')
  })

  it('leaves alone what does not suit, even its own of before', async () => {
    origin.add('a', true)
    const source = origin
    const suits = (meta: MemberMeta) => (meta.founding === null ? 0 : null)
    const opened = await openIdentity({ room: 'r', source, previousIncarnation: 'a', suits })
    expect(opened.incarnation).toBe('new1')
  })

  it('gives every one of many tabs that open at once another one, none left over', async () => {
    for (const name of ['a', 'b', 'c']) origin.add(name, true)
    const tabs = await Promise.all(Array.from({ length: 5 }, () => open()))
    const names = tabs.map((tab) => tab.incarnation).sort()
    expect(names).toEqual(['a', 'b', 'c', 'new1', 'new2'])
  })

  it('gives back every lock that it does not use', async () => {
    for (const name of ['a', 'b', 'c']) origin.add(name)
    const first = await open()
    const { held } = await navigator.locks.query()
    expect(held?.map((lock) => lock.name)).toEqual([`zabra/identity/room/${first.incarnation}`])
    await first.release()
    await eventually(async () => expect((await navigator.locks.query()).held).toEqual([]))
  })

  it('skips a damaged one and says so; a newer one is an error', async () => {
    origin.add('a', true)
    origin.broken.set('a', 'corrupt')
    const opened = await open('a')
    expect([opened.incarnation, opened.damaged]).toEqual(['new1', ['a']])
    origin.broken.set('a', 'newer-format')
    await opened.release()
    await expect(open()).rejects.toMatchObject({ code: 'newer-format' })
    await eventually(async () => expect((await navigator.locks.query()).held).toEqual([]))
  })

  it('keeps a bound on identities of a room', async () => {
    const suits = () => null
    for (let i = 0; i < IDENTITIES_PER_ROOM_MAX; i++) origin.add(`id${i}`)
    const full = openIdentity({ room: 'room', source: origin, suits })
    await expect(full).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('stops when it is told to, holding nothing', async () => {
    const original = await open()
    const stop = new AbortController()
    const { signal } = stop
    const opening = openIdentity({
      room: 'room',
      source: origin,
      previousIncarnation: original.incarnation,
      signal,
    })
    stop.abort()
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
    await eventually(async () => expect((await navigator.locks.query()).held).toHaveLength(1))
  })
})
