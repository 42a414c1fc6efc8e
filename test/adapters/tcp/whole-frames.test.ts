import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WholeFrames } from '../../../src/adapters/tcp/whole-frames.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { frame, splitFrames } from '../../../src/core/jute/framing.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'

const PAYLOAD = fc.uint8Array({ maxLength: 40 })

it('hands on whole frames only, all of them, in order, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(PAYLOAD, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (payloads, cuts) => {
        const stream = concat(payloads.map(frame))
        const frames = new WholeFrames()
        const seen: Uint8Array[] = []
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = at + (cuts[cut % cuts.length] ?? 1)
          for (const message of frames.push(stream.slice(at, end))) {
            seen.push(...splitFrames(message))
          }
          at = end
        }
        expect(seen.map((bytes) => [...bytes])).toEqual(payloads.map((bytes) => [...bytes]))
      },
    ),
  )
})

it('keeps its own copy of what is incomplete', () => {
  const frames = new WholeFrames()
  const bytes = frame(new Uint8Array([1, 2, 3]))
  const first = bytes.slice(0, 5)
  expect(frames.push(first)).toEqual([])
  first.fill(0)
  expect(frames.push(bytes.slice(5))).toEqual([bytes])
})

it.each([
  ['negative', [0xff, 0xff, 0xff, 0xff]],
  ['too long', [0x7f, 0, 0, 0]],
])('refuses a %s length before anything is allocated', (_name, length) => {
  expect(() => new WholeFrames().push(new Uint8Array(length))).toThrow(JuteError)
  const frames = new WholeFrames()
  frames.push(new Uint8Array(length.slice(0, 2)))
  expect(() => frames.push(new Uint8Array(length.slice(2)))).toThrow(JuteError)
})
