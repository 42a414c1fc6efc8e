/** Byte strings. Nothing here keeps or changes its arguments. */

import { assert } from './assert.ts'

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

const HEX: readonly string[] = /* @__PURE__ */ hexOfBytes()
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function hexOfBytes(): string[] {
  return Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lexicographic order of unsigned bytes: negative, zero or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] as string
  return text
}

/**
 * Asserts that `text` is hex: only trusted text is decoded here, input is checked with a pattern.
 */
export function fromHex(text: string): Uint8Array {
  assert(/^(?:[0-9a-fA-F]{2})*$/.test(text), 'not a hex string')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const bits = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += BASE64.charAt(bits >> 18) + BASE64.charAt((bits >> 12) & 63)
    text += left > 1 ? BASE64.charAt((bits >> 6) & 63) : '='
    text += left > 2 ? BASE64.charAt(bits & 63) : '='
  }
  return text
}

/** null unless `text` is canonical base64 with its padding. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  for (let i = 0; i < text.length; i += 4) {
    let bits = 0
    for (let k = 0; k < 4; k++) {
      const digit = text.charAt(i + k)
      bits = (bits << 6) | (digit === '=' ? 0 : BASE64.indexOf(digit))
    }
    bytes[at++] = bits >> 16
    if (at < bytes.length) bytes[at++] = bits >> 8
    if (at < bytes.length) bytes[at++] = bits
  }
  // Bits that padding cuts off must be zero, else two texts name one byte string.
  return toBase64(bytes) === text ? bytes : null
}
