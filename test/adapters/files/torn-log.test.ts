/**
 * What a crash or a bad disk makes of a log's end: at every byte, with and without room kept ready,
 * and in every byte of it. What was acknowledged is never lost without a word.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOG_HEADER_BYTES, logHeader, readLogFile } from '../../../src/adapters/files/log-format.ts'
import { FileStorage } from '../../../src/adapters/files/storage.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { loadRecording } from '../../interop/frame-file.ts'

const ENTRIES = loadRecording('files')
  .frames.filter(({ what }) => what === 'log-entry')
  .map(({ bytes }) => bytes)
const LOG = concat([logHeader(), ...ENTRIES])
const ROOM = new Uint8Array(4096)
/** Where each entry ends; the first number is where the first one begins. */
const ENDS = ENTRIES.reduce<number[]>(
  (ends, { length }) => [...ends, (ends.at(-1) ?? 0) + length],
  [LOG_HEADER_BYTES],
)

/** How many whole entries the first `length` bytes have. */
function wholeIn(length: number): number {
  return Math.max(0, ENDS.filter((end) => end <= length).length - 1)
}

function flipped(bytes: Uint8Array, at: number, mask = 0xff): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= mask
  return copy
}

describe('a log that ends at any byte', () => {
  it.each([
    ['where the file ends', new Uint8Array()],
    ['in the room kept ready', ROOM],
  ])('has every entry before it, and no damage: %s', (_where, room) => {
    for (let length = LOG_HEADER_BYTES; length <= LOG.length; length++) {
      const { entries, end, damaged, corruptAt } = readLogFile(
        concat([LOG.subarray(0, length), room]),
      )
      const count = wholeIn(length)
      expect([length, entries.length, end, damaged, corruptAt]).toEqual([
        ...[length, count, ENDS[count], 0],
        null,
      ])
    }
  })
})

describe('a byte that changed', () => {
  it.each([
    ['at the end of the file', new Uint8Array()],
    ['before room', ROOM],
  ])('in an entry with others behind it is damage, never a shorter log: %s', (_where, room) => {
    const last = ENDS.at(-2)!
    for (let at = LOG_HEADER_BYTES; at < last; at++) {
      const read = readLogFile(concat([flipped(LOG, at), room]))
      const entry = ENDS.findLast((end) => end <= at)
      expect([at, read.corruptAt]).toEqual([at, entry])
    }
  })

  it('in the last entry is counted, wherever it is', () => {
    for (let at = ENDS.at(-2)!; at < LOG.length; at++) {
      // 0x42 ^ 0x42: the mark that a write ended is gone, as if it had not.
      for (const mask of [0xff, 0x01, 0x80]) {
        const read = readLogFile(concat([flipped(LOG, at, mask), ROOM]))
        expect([at, mask, read.damaged, read.corruptAt]).toEqual([at, mask, 1, null])
        expect(read.end).toBe(ENDS.at(-2))
      }
    }
  })

  it('so is a page of zeros in it, and one before others', () => {
    const [from, to] = [ENDS.at(-2)!, ENDS.at(-1)!]
    const inLast = LOG.slice()
    inLast.fill(0, from + 20, to - 4)
    expect(readLogFile(concat([inLast, ROOM])).damaged).toBe(1)
    const before = LOG.slice()
    before.fill(0, ENDS[2], ENDS[4])
    expect(readLogFile(concat([before, ROOM])).corruptAt).toBe(ENDS[2])
  })
})

describe('a directory with such a log', () => {
  let directory = ''
  let folder = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'zabra-torn-'))
    folder = join(directory, 'version-2')
    mkdirSync(folder)
    writeFileSync(join(folder, 'snapshot.0'), emptySnapshotChunk())
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  function open(damagedTail: 'drop' | 'refuse'): FileStorage {
    return new FileStorage({ dataDirectory: directory, token: 't', damagedTail })
  }

  it('that stops in its header is empty, and goes', async () => {
    for (let length = 0; length < LOG_HEADER_BYTES; length++) {
      for (const room of [new Uint8Array(), ROOM]) {
        writeFileSync(join(folder, 'log.1'), concat([LOG.subarray(0, length), room]))
        const storage = open('refuse')
        expect((await storage.recover()).log).toEqual([])
        await storage.close()
        expect(readdirSync(folder)).not.toContain('log.1')
      }
    }
  })

  it('is taken as it is when the end stops short, also by a server alone', async () => {
    const length = LOG.length - 1
    writeFileSync(join(folder, 'log.1'), concat([LOG.subarray(0, length), ROOM]))
    const { log, droppedTail } = await open('refuse').recover()
    expect([log.length, droppedTail]).toEqual([ENTRIES.length - 1, 0])
  })

  it('is refused by a server alone when the end is damaged, and left as it is', async () => {
    const damaged = concat([flipped(LOG, ENDS.at(-2)! + 20), ROOM])
    writeFileSync(join(folder, 'log.1'), damaged)
    const refusal = open('refuse').recover()
    await expect(refusal).rejects.toThrow(/log\.1 is damaged at byte \d+.*zabra log DIR --fix/)
    expect(new Uint8Array(readFileSync(join(folder, 'log.1')))).toEqual(damaged)
    // Nor does it say so once only.
    await expect(open('refuse').recover()).rejects.toThrow(/zabra log/)
  })

  it('says where the damage is when it has whole entries behind it', async () => {
    writeFileSync(join(folder, 'log.1'), flipped(LOG, ENDS[3]! + 20))
    const refusal = open('drop').recover()
    await expect(refusal).rejects.toThrow(`log.1 is damaged at byte ${String(ENDS[3])}`)
    await expect(refusal).rejects.toThrow('zabra log DIR --fix')
  })
})
