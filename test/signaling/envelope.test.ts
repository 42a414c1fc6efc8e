import { beforeAll, describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/core/base/utf8.ts'
import { deriveRoomKeys, Envelope, type RoomKeys } from '../../src/signaling/envelope.ts'
import { createSecret } from '../../src/signaling/room-link.ts'

const A = '0'.repeat(32)
const B = '1'.repeat(32)
const C = '2'.repeat(32)
const SECRET = 'AAAAAAAAAAAAAAAAAAAAAA'

let keys: RoomKeys
let other: RoomKeys
beforeAll(async () => {
  keys = await deriveRoomKeys('zoo', SECRET)
  other = await deriveRoomKeys('zoo', 'AAAAAAAAAAAAAAAAAAAAAB')
})

describe('keys of a room', () => {
  it('give one room id for one link, and another for another secret or name', async () => {
    const again = await deriveRoomKeys('zoo', SECRET)
    const named = await deriveRoomKeys('zoo2', SECRET)
    expect(again.roomId).toBe(keys.roomId)
    expect(keys.roomId).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set([keys.roomId, other.roomId, named.roomId]).size).toBe(3)
  })

  it('come from a secret typed by hand too', async () => {
    const typed = await deriveRoomKeys('zoo', 'lions')
    const envelope = await new Envelope(typed, A).seal(B, encodeUtf8('hi'))
    const opened = await new Envelope(await deriveRoomKeys('zoo', 'lions'), B).open(A, envelope)
    expect(decodeUtf8(opened)).toBe('hi')
  })

  it('cannot be read out', () => {
    expect(keys.key.extractable).toBe(false)
  })
})

describe('an envelope', () => {
  it('arrives as it was sent, and shows nothing of it', async () => {
    const message = encodeUtf8('a=fingerprint:sha-256 AA:BB')
    const sealed = await new Envelope(keys, A).seal(B, message)
    expect(Buffer.from(sealed).includes(Buffer.from(message))).toBe(false)
    expect(await new Envelope(keys, B).open(A, sealed)).toEqual(message)
  })

  it('is refused when any byte was changed', async () => {
    const sealed = await new Envelope(keys, A).seal(B, encodeUtf8('offer'))
    for (let at = 0; at < sealed.length; at++) {
      const altered = sealed.slice()
      altered[at] = (altered[at] ?? 0) ^ 1
      const code = at === 0 ? 'malformed' : 'forged'
      await expect(new Envelope(keys, B).open(A, altered)).rejects.toMatchObject({ code })
    }
  })

  it('is refused when it was shortened, lengthened or is nothing', async () => {
    const sealed = await new Envelope(keys, A).seal(B, encodeUtf8('offer'))
    const receiver = new Envelope(keys, B)
    await expect(receiver.open(A, sealed.subarray(0, -1))).rejects.toMatchObject({ code: 'forged' })
    await expect(receiver.open(A, new Uint8Array([...sealed, 0]))).rejects.toThrow()
    await expect(receiver.open(A, new Uint8Array(0))).rejects.toMatchObject({ code: 'malformed' })
  })

  it('is for one receiver, from one sender, in one direction', async () => {
    const sealed = await new Envelope(keys, A).seal(B, encodeUtf8('offer'))
    await expect(new Envelope(keys, C).open(A, sealed)).rejects.toMatchObject({ code: 'forged' })
    await expect(new Envelope(keys, B).open(C, sealed)).rejects.toMatchObject({ code: 'forged' })
    await expect(new Envelope(keys, A).open(B, sealed)).rejects.toMatchObject({ code: 'forged' })
  })

  it('is unreadable with another secret', async () => {
    const sealed = await new Envelope(keys, A).seal(B, encodeUtf8('offer'))
    await expect(new Envelope(other, B).open(A, sealed)).rejects.toMatchObject({ code: 'forged' })
  })

  it('comes once, and never after a later one', async () => {
    const sender = new Envelope(keys, A)
    const first = await sender.seal(B, encodeUtf8('1'))
    const second = await sender.seal(B, encodeUtf8('2'))
    const receiver = new Envelope(keys, B)
    await receiver.open(A, second)
    await expect(receiver.open(A, second)).rejects.toMatchObject({ code: 'replayed' })
    await expect(receiver.open(A, first)).rejects.toMatchObject({ code: 'replayed' })
  })

  it('may follow lost ones, and a forged number shuts nobody out', async () => {
    const sender = new Envelope(keys, A)
    await sender.seal(B, encodeUtf8('lost'))
    const next = await sender.seal(B, encodeUtf8('next'))
    const forged = next.slice()
    forged[1] = 0xff
    const receiver = new Envelope(keys, B)
    await expect(receiver.open(A, forged)).rejects.toMatchObject({ code: 'forged' })
    expect(decodeUtf8(await receiver.open(A, next))).toBe('next')
  })
})

describe('a made secret', () => {
  it('has 128 bits and comes never again', () => {
    const made = new Set(Array.from({ length: 100 }, createSecret))
    expect(made.size).toBe(100)
    for (const secret of made) expect(secret).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })
})
