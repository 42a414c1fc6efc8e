/** DER, as far as a certificate needs it (X.690): values are written once and never read. */

const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** RFC 5280 4.1.2.5: from this year on a time is written with four digits of the year. */
const GENERALIZED_SINCE_YEAR = 2050

export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAG.SEQUENCE, ...parts)
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAG.SET, ...parts)
}

/** `[n]` around what is inside; `explicit` in a module's words. */
export function context(n: number, ...parts: readonly Uint8Array[]): Buffer {
  return tagged(0xa0 | n, ...parts)
}

/** `[n]` instead of the tag of a primitive value. */
export function contextPrimitive(n: number, bytes: Uint8Array): Buffer {
  return tagged(0x80 | n, bytes)
}

/** Not negative: a leading bit that is set needs a zero byte before it. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first === -1 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first))
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0
  return tagged(TAG.INTEGER, isNegative ? Buffer.from([0]) : Buffer.alloc(0), digits)
}

export function boolean(value: boolean): Buffer {
  return tagged(TAG.BOOLEAN, Buffer.from([value ? 0xff : 0]))
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAG.OCTET_STRING, bytes)
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(TAG.BIT_STRING, Buffer.from([unusedBits]), bytes)
}

export function utf8String(text: string): Buffer {
  return tagged(TAG.UTF8_STRING, Buffer.from(text, 'utf8'))
}

/** `1.2.840.10045.4.3.2` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(TAG.OID, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** In seconds; what is below is cut off. */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  const isLong = at.getUTCFullYear() >= GENERALIZED_SINCE_YEAR
  if (isLong) return tagged(TAG.GENERALIZED_TIME, Buffer.from(digits, 'ascii'))
  return tagged(TAG.UTC_TIME, Buffer.from(digits.slice(2), 'ascii'))
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}
