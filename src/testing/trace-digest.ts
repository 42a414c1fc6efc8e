/**
 * One number for a whole run: every input and effect in order goes in. Two runs of one seed that
 * differ anywhere differ here. FNV-1a over two 32-bit lanes: fast, and nobody attacks it.
 */
export class TraceDigest {
  #low = 0x811c_9dc5
  #high = 0x9e37_79b9
  #count = 0

  get count(): number {
    return this.#count
  }

  number(n: number): void {
    this.#count++
    this.#mix(n | 0)
    if (!Number.isInteger(n) || Math.abs(n) > 0x7fff_ffff) {
      scratch.setFloat64(0, n)
      this.#mix(scratch.getInt32(0))
      this.#mix(scratch.getInt32(4))
    }
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#low = mixed(this.#low, text.charCodeAt(i))
    this.#mix(text.length)
  }

  bytes(bytes: Uint8Array): void {
    let low = this.#low
    for (const byte of bytes) low = Math.imul(low ^ byte, 0x0100_0193)
    this.#low = low
    this.#mix(bytes.length)
  }

  get hex(): string {
    const part = (n: number): string => (n >>> 0).toString(16).padStart(8, '0')
    return part(this.#high) + part(this.#low)
  }

  #mix(n: number): void {
    this.#low = mixed(this.#low, n)
    this.#high = Math.imul(this.#high ^ this.#low ^ (this.#high >>> 15), 0x85eb_ca6b)
  }
}

const scratch = new DataView(new ArrayBuffer(8))

function mixed(hash: number, n: number): number {
  return Math.imul(hash ^ n, 0x0100_0193) ^ (n >>> 16)
}

/** FNV-1a of one entry: tells whether two entries of one zxid are the same. */
export function entryHash(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return hash >>> 0
}
