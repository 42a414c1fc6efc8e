/**
 * UTF-8 without TextEncoder (no platform names in the core).
 *
 * Decoding accepts real UTF-8 and CESU-8 (W3: the Java writer encodes each half of a surrogate pair
 * on its own); malformed bytes become U+FFFD, one per maximal ill-formed part as in the WHATWG
 * decoder. Encoding emits real UTF-8; a lone surrogate becomes U+FFFD. So decoded strings are
 * always well formed and survive another round trip.
 */

const REPLACEMENT = 0xfffd
/** `String.fromCharCode.apply` pushes its arguments on the stack, so long strings go in parts. */
const CHUNK_UNITS = 4096

/** Writes `text` at `offset` and returns the offset after it. Needs up to 3 bytes per code unit. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  let at = offset
  const length = text.length
  for (let i = 0; i < length; i++) {
    let code = text.charCodeAt(i)
    if (code < 0x80) {
      target[at++] = code
      continue
    }
    if (code < 0x800) {
      target[at++] = 0xc0 | (code >> 6)
      target[at++] = 0x80 | (code & 0x3f)
      continue
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = text.charCodeAt(i + 1)
      if (code <= 0xdbff && isLowSurrogate(low)) {
        i++
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        target[at++] = 0xf0 | (code >> 18)
        target[at++] = 0x80 | ((code >> 12) & 0x3f)
        target[at++] = 0x80 | ((code >> 6) & 0x3f)
        target[at++] = 0x80 | (code & 0x3f)
        continue
      }
      code = REPLACEMENT
    }
    target[at++] = 0xe0 | (code >> 12)
    target[at++] = 0x80 | ((code >> 6) & 0x3f)
    target[at++] = 0x80 | (code & 0x3f)
  }
  return at
}

export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text))
  writeUtf8(text, bytes, 0)
  return bytes
}

/** Bytes that `writeUtf8` writes. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    bytes += code < 0x800 ? 1 : 2
    // A pair is four bytes for two units.
    if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(i + 1))) i++
  }
  return bytes
}

export function decodeUtf8(bytes: Uint8Array): string {
  const length = bytes.length
  let i = 0
  while (i < length && (bytes[i] as number) < 0x80) i++
  if (i === length) return fromUnits(bytes)
  const units = new Uint16Array(length)
  for (let k = 0; k < i; k++) units[k] = bytes[k] as number
  return fromUnits(units.subarray(0, decodeUnits(bytes, i, units)))
}

/** Decodes from byte `start` to the end into `units` at the same index; returns the unit count. */
function decodeUnits(bytes: Uint8Array, start: number, units: Uint16Array): number {
  let at = start
  let i = start
  while (i < bytes.length) {
    const first = bytes[i] as number
    if (first < 0x80) {
      units[at++] = first
      i++
      continue
    }
    const size = sequenceSize(bytes, i)
    if (size < 0) {
      units[at++] = REPLACEMENT
      i -= size
      continue
    }
    if (size === 2) {
      units[at++] = ((first & 0x1f) << 6) | ((bytes[i + 1] as number) & 0x3f)
    } else if (size === 3) {
      units[at++] = unitOf3(bytes, i)
    } else if (size === 4) {
      const code = (((first & 7) << 18) | (((bytes[i + 1] as number) & 0x3f) << 12)) - 0x10000
      const rest = (((bytes[i + 2] as number) & 0x3f) << 6) | ((bytes[i + 3] as number) & 0x3f)
      units[at++] = 0xd800 | ((code | rest) >> 10)
      units[at++] = 0xdc00 | (rest & 0x3ff)
    } else {
      units[at++] = unitOf3(bytes, i)
      units[at++] = unitOf3(bytes, i + 3)
    }
    i += size
  }
  return at
}

function unitOf3(bytes: Uint8Array, i: number): number {
  return (
    (((bytes[i] as number) & 0xf) << 12) |
    (((bytes[i + 1] as number) & 0x3f) << 6) |
    ((bytes[i + 2] as number) & 0x3f)
  )
}

/**
 * Length of the well-formed sequence at `i`: 2, 3, 4, or 6 for a CESU-8 pair; else minus the length
 * of the ill-formed part that one U+FFFD replaces.
 */
function sequenceSize(bytes: Uint8Array, i: number): number {
  const first = bytes[i] as number
  if (first < 0xc2 || first > 0xf4) return -1
  const second = bytes[i + 1] ?? 0
  if (first < 0xe0) return isContinuation(second) ? 2 : -1
  if (first < 0xf0) {
    if (first === 0xed && second >= 0xa0 && second <= 0xbf) return isCesuPair(bytes, i) ? 6 : -1
    if (!isContinuation(second) || (first === 0xe0 && second < 0xa0)) return -1
    return isContinuation(bytes[i + 2] ?? 0) ? 3 : -2
  }
  if (!isContinuation(second)) return -1
  if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return -1
  if (!isContinuation(bytes[i + 2] ?? 0)) return -2
  return isContinuation(bytes[i + 3] ?? 0) ? 4 : -3
}

/** ED A0..AF xx ED B0..BF xx: a high and a low surrogate, each in three bytes. */
function isCesuPair(bytes: Uint8Array, i: number): boolean {
  return (
    (bytes[i + 1] as number) <= 0xaf &&
    isContinuation(bytes[i + 2] ?? 0) &&
    bytes[i + 3] === 0xed &&
    (bytes[i + 4] ?? 0) >= 0xb0 &&
    (bytes[i + 4] ?? 0) <= 0xbf &&
    isContinuation(bytes[i + 5] ?? 0)
  )
}

/** false for NaN, which `charCodeAt` gives past the end. */
function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

function fromUnits(units: Uint8Array | Uint16Array): string {
  if (units.length <= CHUNK_UNITS) return chunkToString(units)
  let text = ''
  for (let i = 0; i < units.length; i += CHUNK_UNITS) {
    text += chunkToString(units.subarray(i, i + CHUNK_UNITS))
  }
  return text
}

function chunkToString(units: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(null, units as unknown as number[])
}
