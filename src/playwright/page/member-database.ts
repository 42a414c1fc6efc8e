/** What is on the disk of a machine of this browser, whoever holds it: looked at, and damaged. */

/** The only one whose name ends so: an incarnation is a machine's own. */
export async function databaseOf(identity: string): Promise<string> {
  const all = await indexedDB.databases()
  const found = all.find(({ name }) => name?.endsWith(`/${identity}`) === true)
  if (found?.name === undefined) throw new Error(`machine ${identity} has no storage here`)
  return found.name
}

export async function deleteDatabase(name: string): Promise<void> {
  await settled(indexedDB.deleteDatabase(name))
}

/** Key of the log's store (indexeddb/schema.ts). */
export type LogKey = [epoch: number, counter: number]

/** From the value on that holds the entry `after`; null: all. */
export async function logValues(name: string, after: LogKey | null): Promise<Uint8Array[]> {
  return withStore(name, 'readonly', async (store) => {
    let range: IDBKeyRange | null = null
    if (after !== null) {
      const below = IDBKeyRange.upperBound(after)
      const straddling = await settled(store.openKeyCursor(below, 'prev'))
      if (straddling !== null) range = IDBKeyRange.lowerBound(straddling.key)
    }
    return (await settled(store.getAll(range))) as Uint8Array[]
  })
}

export async function tearLog(name: string): Promise<void> {
  await withStore(name, 'readwrite', async (store) => {
    const keys = await settled(store.getAllKeys())
    const newest = keys.at(-1)
    if (newest === undefined) throw new Error('its log is empty')
    const value = (await settled(store.get(newest))) as Uint8Array
    await settled(store.put(value.slice(0, value.length / 2), newest))
  })
}

/**
 * As behind an update that waits for a tab which does not let go: who opens it now waits. The
 * result ends that, and leaves everything as it was.
 */
export async function blockDatabase(name: string): Promise<() => Promise<void>> {
  const holder = await settled(indexedDB.open(name))
  const update = indexedDB.open(name, holder.version + 1)
  update.addEventListener('upgradeneeded', () => update.transaction?.abort())
  const ended = new Promise<void>((resolve) => {
    update.addEventListener('error', () => resolve())
  })
  await new Promise((resolve) => update.addEventListener('blocked', resolve))
  return async () => {
    holder.close()
    await ended
  }
}

async function withStore<T>(
  name: string,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const database = await settled(indexedDB.open(name))
  try {
    const transaction = database.transaction('log', mode)
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
    })
    const result = await use(transaction.objectStore('log'))
    await done
    return result
  } finally {
    database.close()
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('the request failed'))
  })
}
