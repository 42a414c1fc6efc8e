import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IndexedDbIdentities } from '../../../src/adapters/indexeddb/identity-store.ts'
import { StorageError } from '../../../src/ports/storage.ts'

const databases = vi.fn<() => Promise<IDBDatabaseInfo[]>>()

describe('a browser that does not name its databases', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('indexedDB', { databases })
  })

  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
    databases.mockReset()
  })

  /** The outcome, whatever it waits for. */
  async function listed(): Promise<unknown> {
    const outcome = new IndexedDbIdentities('room').list().catch((error: unknown) => error)
    await vi.runAllTimersAsync()
    return outcome
  }

  it('is asked again while its files are held by the process it follows', async () => {
    const held = new DOMException('Internal error opening backing store.', 'UnknownError')
    databases.mockRejectedValueOnce(held).mockRejectedValueOnce(held).mockResolvedValueOnce([])
    expect(await listed()).toEqual([])
    expect(databases).toHaveBeenCalledTimes(3)
  })

  it('is believed when it goes on, with what it said', async () => {
    databases.mockRejectedValue(new DOMException('disk on fire', 'UnknownError'))
    const error = await listed()
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(String(error)).toMatch(/no access to IndexedDB.*UnknownError: disk on fire/)
    expect(databases).toHaveBeenCalledTimes(11)
  })

  it('is believed at once when it refuses', async () => {
    databases.mockRejectedValue(new DOMException('not for you', 'SecurityError'))
    expect(await listed()).toMatchObject({ code: 'unavailable' })
    expect(databases).toHaveBeenCalledTimes(1)
  })
})
