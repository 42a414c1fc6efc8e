/** Bare IndexedDB: strict, one packed value per transaction, whatever waited goes together. */

const STORE = 'log'
/** A longer value becomes a file of its own in Chromium: three syncs for one. */
const VALUE_BYTES_MAX = 65_000

interface Batch {
  readonly last: number
  readonly bytes: Uint8Array
}

export class RawLog {
  onDurable: (last: number) => void = () => {}
  readonly #db: IDBDatabase
  #waiting: Batch[] = []
  #isWriting = false
  #nextKey = 1

  private constructor(db: IDBDatabase) {
    this.#db = db
  }

  static async open(name: string): Promise<RawLog> {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    await new Promise((resolve, reject) => {
      request.onsuccess = resolve
      request.onerror = () => reject(request.error ?? new Error('no database'))
    })
    return new RawLog(request.result)
  }

  append(last: number, bytes: Uint8Array): void {
    this.#waiting.push({ last, bytes })
    if (!this.#isWriting) this.#write()
  }

  /** All values in one strict transaction. */
  async install(values: readonly Uint8Array[]): Promise<void> {
    const tx = this.#db.transaction(STORE, 'readwrite', { durability: 'strict' })
    for (const value of values) tx.objectStore(STORE).put(value, this.#nextKey++)
    tx.commit()
    await new Promise((resolve, reject) => {
      tx.oncomplete = resolve
      tx.onabort = () => reject(tx.error ?? new Error('no transaction'))
    })
  }

  #write(): void {
    const batch = this.#waiting
    const last = batch.at(-1)?.last
    if (last === undefined) return
    this.#waiting = []
    this.#isWriting = true
    const tx = this.#db.transaction(STORE, 'readwrite', { durability: 'strict' })
    for (const value of pack(batch)) tx.objectStore(STORE).put(value, this.#nextKey++)
    tx.oncomplete = () => {
      this.#isWriting = false
      this.onDurable(last)
      if (!this.#isWriting) this.#write()
    }
    tx.commit()
  }
}

function pack(batch: readonly Batch[]): Uint8Array[] {
  const values: Uint8Array[] = []
  for (let at = 0; at < batch.length;) {
    const start = at
    let sizeBytes = 0
    while (at < batch.length) {
      const next = sizeBytes + (batch[at]?.bytes.length ?? 0)
      if (at > start && next > VALUE_BYTES_MAX) break
      sizeBytes = next
      at++
    }
    const value = new Uint8Array(sizeBytes)
    let offset = 0
    for (const { bytes } of batch.slice(start, at)) {
      value.set(bytes, offset)
      offset += bytes.length
    }
    values.push(value)
  }
  return values
}
