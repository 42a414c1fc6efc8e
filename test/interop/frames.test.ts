/**
 * Frames of Apache ZooKeeper 3.8.0, decoded, encoded again and compared byte for byte. They were
 * recorded, and are recorded again, by `npm run record:frames` (record.ts says what that needs).
 */

import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { JuteError } from '../../src/core/jute/jute-error.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { PacketType } from '../../src/core/jute/quorum-records.ts'
import {
  recodeClientFrame,
  recodeElectionFrame,
  recodeFileFrame,
  recodeQuorumFrame,
  type Recoded,
} from './frame-codecs.ts'
import { loadRecording, recordingNames, type Frame } from './frame-file.ts'

const CODECS: Readonly<Record<string, (frame: Frame) => Recoded>> = {
  client: recodeClientFrame,
  'client-odd': recodeClientFrame,
  'client-reconfig': recodeClientFrame,
  quorum: recodeQuorumFrame,
  learner: recodeQuorumFrame,
  election: recodeElectionFrame,
  files: recodeFileFrame,
}

/** Bodies that we sent broken on purpose. */
const BROKEN: readonly string[] = ['00000003000000010000000900', '0000000400000003ffffffff00']
/** '😀' as Java writes it, six bytes in the place of four (W3). */
const CESU8 = 'eda0bdedb880'

test('every recording has its codec', () => {
  expect(recordingNames().sort()).toEqual(Object.keys(CODECS).sort())
})

describe.each(Object.entries(CODECS))('%s', (name, recode) => {
  const { frames } = loadRecording(name)
  const numbered = frames.map((frame, i) => ({ i, ...frame }))

  test.each(numbered)('$i: $what from $from', (frame) => {
    const hex = toHex(frame.bytes)
    if (BROKEN.includes(hex)) {
      expect(() => recode(frame)).toThrow(JuteError)
      return
    }
    const { value, bytes } = recode(frame)
    if (hex.includes(CESU8)) {
      // We write real UTF-8: shorter bytes, the same value.
      expect(bytes.length).toBeLessThan(frame.bytes.length)
      expect(recode({ ...frame, bytes }).value).toEqual(value)
      return
    }
    expect(toHex(bytes)).toBe(hex)
  })
})

describe('the recordings hold', () => {
  const names = (recording: string, from: string) =>
    new Set(
      loadRecording(recording)
        .frames.filter((frame) => frame.from === from)
        .map((frame) => frame.what),
    )

  test('every operation that a client may send, and its answer', () => {
    const all = ['client', 'client-odd', 'client-reconfig']
    const sent = new Set(all.flatMap((recording) => [...names(recording, 'client')]))
    const answered = new Set(all.flatMap((recording) => [...names(recording, 'server')]))
    // Inside multi only; the older setWatches; sent by servers; internal (W44).
    const absent = ['check', 'setWatches', 'notification', 'createSession', 'error']
    const expected = Object.keys(OpCode).filter((name) => !absent.includes(name))
    expect(expected.filter((name) => !sent.has(name))).toEqual([])
    expect(expected.filter((name) => !answered.has(name))).toEqual([])
    expect(answered.has('notification')).toBe(true)
  })

  test('every kind of packet', () => {
    const seen = new Set(
      ['quorum', 'learner'].flatMap((recording) => [
        ...names(recording, 'leader'),
        ...names(recording, 'learner'),
      ]),
    )
    expect(Object.keys(PacketType).filter((name) => !seen.has(name))).toEqual([])
    expect(seen.has('snapshot-stream')).toBe(true)
  })

  test('both kinds of election messages', () => {
    expect([...names('election', 'initiator')].sort()).toEqual(['InitialMessage', 'Notification'])
    expect([...names('election', 'acceptor')]).toEqual(['Notification'])
  })

  test('a log and a snapshot', () => {
    expect([...names('files', 'disk')].sort()).toEqual(['log-entry', 'log-header', 'snapshot'])
  })
})
