/** Hostile bytes out of good ones: what bit rot, truncation and malice make of a frame. */
import type { Prng } from '../../src/core/base/prng.ts'

/** Lengths and counts that decoders trip over. */
const INTS = [
  -1, 0, 1, 2, -2, 0x7fff_ffff, -0x8000_0000, 0x7fff_fffe, 0xfffff, 0x10_0000, 0x3fff_ffff,
  0x0100_0000, 0xffff,
]
const BYTES = [0, 1, 0x2f, 0x42, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xff]
const CHANGES_MAX = 4
const NOISE_BYTES_MAX = 80

/** One input for a decoder that was made for frames like those of the corpus. */
export function hostile(prng: Prng, corpus: readonly Uint8Array[]): Uint8Array {
  if (corpus.length === 0 || prng.bool(0.05)) return noise(prng, NOISE_BYTES_MAX)
  let bytes = prng.pick(corpus).slice()
  for (let left = 1 + prng.int(CHANGES_MAX); left > 0; left--) bytes = change(prng, bytes, corpus)
  return bytes
}

function change(
  prng: Prng,
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const { length } = bytes
  const changed = new Uint8Array(bytes)
  const at = length === 0 ? 0 : prng.int(length)
  switch (length === 0 ? 6 : prng.int(9)) {
    case 0:
      changed[at] = (changed[at] as number) ^ (1 << prng.int(8))
      return changed
    case 1:
      changed[at] = prng.pick(BYTES)
      return changed
    case 2:
    case 3:
      return withInt(changed, at, prng.bool(0.7) ? prng.pick(INTS) : prng.int(2 * length))
    case 4:
      return changed.slice(0, at)
    case 5:
      return joined(changed.slice(0, at), changed.slice(Math.min(length, at + 1 + prng.int(8))))
    case 6:
      return joined(changed, noise(prng, 16))
    case 7:
      return joined(changed.slice(0, at), noise(prng, 8), changed.slice(at))
    default: {
      const other = prng.pick(corpus)
      return joined(changed.slice(0, at), other.slice(Math.min(at, other.length)))
    }
  }
}

/** As a length stands: on a place that may be one, more often than not. */
function withInt(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  if (bytes.length < 4) return bytes
  new DataView(bytes.buffer).setInt32(Math.min(at, bytes.length - 4), value)
  return bytes
}

export function noise(prng: Prng, max: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: prng.int(max + 1) }, () => prng.int(256))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
