// A member's recording, run again: the same, step by step, whatever happened to the member.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { createRequestRecord, setDataRequestRecord } from '../../../src/core/jute/proto-records.ts'
import { FlightTranscript } from '../../../src/edge/flight-words.ts'
import { flightTitle, loadFlight, verdictWords } from '../../../src/edge/load-flight.ts'
import { replayFlight, type ReplayedStep } from '../../../src/edge/replay-flight.ts'
import { FlightFormatError } from '../../../src/runtime/flight/flight-bytes.ts'
import {
  flightSteps,
  readFlight,
  type FlightFile,
} from '../../../src/runtime/flight/flight-file.ts'
import { createRequest, type TestClient } from '../../core/server/test-client.ts'
import { configOf, settle } from '../bench.ts'
import { exported, flightOf, RecordedRoom, recordingOf } from './recorded-room.ts'

const SECRET_DATA = 'the combination is 0000'
const OLD_DATA = 'what was there before'
const PASSWORD = 'correct-horse-battery'
/** More than the leader keeps for a DIFF (Q30). */
const LONG_AWAY = 520

function create(client: TestClient, path: string, data = ''): number {
  return client.send(OpCode.create, createRequestRecord, createRequest(path, data))
}

interface Life {
  readonly room: RecordedRoom
  readonly sid: number
  readonly modes: readonly string[]
  readonly sessionPassword: Uint8Array
}

/** What one member of three lives through: election, writes, TRUNC as old leader, then SNAP. */
async function life(): Promise<Life> {
  const room = await RecordedRoom.open()
  const sid = room.leader
  const client = await room.client(sid)
  client.addAuth('digest', `user:${PASSWORD}`)
  create(client, '/kept', SECRET_DATA)
  client.send(OpCode.create, createRequestRecord, {
    ...createRequest('/mine', OLD_DATA),
    acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }],
  })
  client.send(OpCode.setData, setDataRequestRecord, {
    path: '/mine',
    data: new TextEncoder().encode(SECRET_DATA),
    version: 0,
  })
  await settle()
  expect(client.replies.map(({ err }) => err)).toEqual([0, 0, 0, 0])
  client.close()
  await settle()
  const again = await room.resumed(sid, client)
  const thief = await room.resumed(sid, client, new Uint8Array(16).fill(9))
  expect([again.session, thief.session]).toEqual([client.session, 0n])
  room.isolate(sid)
  create(again, '/lost', SECRET_DATA)
  await room.untilDeposed(sid)
  create(await room.client(room.leaderBut(sid)), '/won', SECRET_DATA)
  await room.rejoin(sid)
  room.isolate(sid)
  await room.untilDeposed(sid)
  await writeMany(room, await room.client(room.leaderBut(sid)))
  await room.rejoin(sid)
  await room.time.pass(500)
  const modes: string[] = []
  replayFlight(await flightOf(room.member(sid)), ({ effects }) => {
    for (const effect of effects) {
      if (effect.kind === 'trace' && effect.event.type === 'sync') modes.push(effect.event.mode)
    }
  })
  return { room, sid, modes, sessionPassword: client.connected?.passwd ?? new Uint8Array(0) }
}

async function writeMany(room: RecordedRoom, client: TestClient): Promise<void> {
  for (let i = 0; i < LONG_AWAY; i += 40) {
    for (let k = 0; k < 40; k++) create(client, `/many${i + k}`, SECRET_DATA)
    await room.time.pass(50)
  }
}

describe('a recorded life', () => {
  let room: RecordedRoom
  let sid: number
  let modes: readonly string[]
  let sessionPassword: Uint8Array

  beforeAll(async () => {
    ;({ room, sid, modes, sessionPassword } = await life())
  })

  test('holds what a member may live through', () => {
    expect(modes).toContain('TRUNC')
    expect(modes).toContain('SNAP')
  })

  test('of every member is the same again, bit for bit', async () => {
    for (const member of room.members) {
      const flight = await flightOf(member)
      const result = replayFlight(flight)
      expect(result).toMatchObject({ kind: 'same', exact: true, steps: flight.steps })
      expect(flight.firstStep).toBe(0)
    }
  })

  test('is the same when it was masked, and then holds no data and no secret', async () => {
    for (const member of room.members) {
      const bytes = await exported(member, false)
      const text = Buffer.from(bytes).toString('latin1')
      for (const secret of [SECRET_DATA, OLD_DATA, PASSWORD]) expect(text).not.toContain(secret)
      expect(text).toContain('/mine')
      const result = replayFlight(await flightOf(member, false))
      expect(result).toMatchObject({ kind: 'same', exact: false })
    }
  })

  test('with data holds the data, but neither the key nor a session password', async () => {
    const bytes = await exported(room.member(sid))
    const text = Buffer.from(bytes).toString('latin1')
    expect(text).toContain(SECRET_DATA)
    expect(sessionPassword).toHaveLength(16)
    for (const secret of [configOf(1, 3).sessionKey, sessionPassword]) {
      expect(text).not.toContain(Buffer.from(secret!).toString('latin1'))
    }
  })

  test('reads as a transcript', async () => {
    const flight = await flightOf(room.member(sid))
    const transcript = new FlightTranscript(flight.config.sid, flight.startedAt)
    const lines: string[] = []
    replayFlight(flight, (step) => lines.push(...transcript.lines(step)))
    const text = lines.join('\n')
    for (const words of [
      /is leading: elected/,
      /client 1: wants a session/,
      /client 1: \d+ create \/kept/,
      /writes log 1\.\d/,
      /answers client 1: \d+ OK at 1\.\d/i,
      /TRUNC \d\.\d/,
      /reads its storage again: snapshot/,
      /SNAP chunk 0/,
      /install snapshot/,
    ]) {
      expect(text).toMatch(words)
    }
  })

  test('with one byte of an input changed differs, and in a named step', async () => {
    const flight = await flightOf(room.member(sid))
    const step = stepOf(
      flight,
      ({ input }) => input?.kind === 'client-data' && input.bytes.length > 60,
    )
    const changed = withByteChanged(flight, step)
    const result = replayFlight(changed)
    if (result.kind !== 'different') throw new Error(result.kind)
    expect(result.step.number).toBeGreaterThanOrEqual(step)
    expect(result.step.number).toBeLessThan(step + 20)
    expect(result.what).toMatch(/other bytes|something/)
  })
})

test('a leader that reads its log back does so in the replay, masked or not', async () => {
  const room = await RecordedRoom.open({}, { commitLogCount: 5, snapshotSizeFactor: 0 })
  const sid = room.leader
  const gone = room.members.length - (sid === room.members.length ? 1 : 0)
  const client = await room.client(sid)
  room.isolate(gone)
  for (let i = 0; i < 40; i++) create(client, `/many${i}`, SECRET_DATA)
  await room.time.pass(2_000)
  await room.rejoin(gone)
  for (const payloads of [true, false]) {
    const flight = await flightOf(room.member(sid), payloads)
    const transcript = new FlightTranscript(flight.config.sid, flight.startedAt)
    const lines: string[] = []
    const result = replayFlight(flight, (step) => lines.push(...transcript.lines(step)))
    expect(result).toMatchObject({ kind: 'same', exact: payloads, steps: flight.steps })
    const text = lines.join('\n')
    expect(text).toMatch(/wants its log after \d\.\d+ up to \d\.\d+/)
    expect(text).toMatch(/reads its log back: \d+ entries/)
    expect(text).toMatch(/DIFF \d\.\d/)
  }
  const text = Buffer.from(await exported(room.member(sid), false)).toString('latin1')
  expect(text).not.toContain(SECRET_DATA)
})

describe('bounds', () => {
  const LIMITS = { ringBytesMax: 20_000, segmentBytes: 4_000 }

  test('the ring keeps the newest steps; without their beginning they are only read', async () => {
    const room = await RecordedRoom.open(LIMITS)
    const sid = room.leader
    const client = await room.client(sid)
    for (let i = 0; i < 100; i++) create(client, `/n${i}`, 'x'.repeat(1000))
    await room.time.pass(1000)
    const flight = recordingOf(room.member(sid))
    const bytes = flight.segments.reduce((sum, segment) => sum + segment.length, 0)
    expect(bytes).toBeLessThanOrEqual(LIMITS.ringBytesMax)
    expect(flight.start).toBeNull()
    expect(flight.firstStep).toBeGreaterThan(0)
    for (const payloads of [true, false]) {
      const file = await flightOf(room.member(sid), payloads)
      const steps = [...flightSteps(file)].length
      expect(steps).toBe(file.steps - file.firstStep)
      expect(replayFlight(file)).toEqual({ kind: 'unchecked', steps, lost: file.firstStep })
    }
  })

  test('a step beyond the whole ring leaves only itself', async () => {
    const room = await RecordedRoom.open(LIMITS)
    const client = await room.client(1)
    create(client, '/big', 'x'.repeat(30_000))
    await settle()
    const flight = await flightOf(room.member(1))
    expect(flight.segments.length).toBeLessThanOrEqual(2)
    expect(replayFlight(flight).kind).toBe('unchecked')
  })

  test('a storage too large at the start is not held', async () => {
    const room = await RecordedRoom.open({ startBytesMax: 10 })
    const flight = await flightOf(room.member(1))
    expect([flight.start, flight.firstStep]).toEqual([null, 0])
    expect(replayFlight(flight).kind).toBe('unchecked')
  })
})

describe('a file', () => {
  test('that is cut anywhere, or is something else, is refused in words', async () => {
    const room = await RecordedRoom.open()
    const bytes = await exported(room.member(1))
    expect(readFlight(bytes).steps).toBeGreaterThan(10)
    for (let length = 0; length < bytes.length; length += length < 2000 ? 1 : 97) {
      expect(() => readFlight(bytes.subarray(0, length))).toThrow(FlightFormatError)
    }
    const newer = bytes.slice()
    newer[8] = 2
    expect(() => readFlight(newer)).toThrow('a recording of format 2; this code reads format 1')
    expect(() => readFlight(new Uint8Array(100))).toThrow('this is no flight recording')
  })

  test('with any byte changed is refused, differs, or is the same: nothing else', async () => {
    const room = await RecordedRoom.open()
    const bytes = await exported(room.member(room.leader))
    const random = new Prng('changed bytes')
    let differences = 0
    for (let i = 0; i < 300; i++) {
      const changed = bytes.slice()
      const at = random.int(changed.length)
      changed[at] = (changed[at] ?? 0) ^ (1 + random.int(255))
      try {
        if (replayFlight(readFlight(changed)).kind === 'different') differences++
      } catch (error) {
        expect(error).toBeInstanceOf(FlightFormatError)
      }
    }
    expect(differences).toBeGreaterThan(30)
  })

  test('is replayed by the command', async () => {
    const room = await RecordedRoom.open()
    const folder = await mkdtemp(join(tmpdir(), 'zabra-flight-'))
    try {
      const good = join(folder, 'good.zabra-flight')
      const bytes = await exported(room.member(1))
      await writeFile(good, gzipSync(bytes))
      const flight = await loadFlight(good)
      expect(verdictWords(replayFlight(flight))).toMatch(
        /^replayed \d+ steps: bit for bit the same$/,
      )
      expect(flightTitle(flight)).toMatch(/^machine 1 of 3, started 2023-.*with data$/)
      const bad = join(folder, 'bad')
      await writeFile(bad, 'plain text')
      await expect(loadFlight(bad)).rejects.toThrow('this is no flight recording: no gzip')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

function stepOf(flight: FlightFile, wanted: (step: ReplayedStep) => boolean): number {
  let number: number | null = null
  replayFlight(flight, (step) => {
    if (number === null && wanted(step)) number = step.number
  })
  if (number === null) throw new Error('no such step')
  return number
}

/** The data of a create, which ends before its ACL: a payload byte. */
function withByteChanged(flight: FlightFile, number: number): FlightFile {
  let at = 0
  for (const { input } of flightSteps(flight)) {
    if (at++ === number && input.kind === 'client-data') {
      const { bytes } = input
      const text = Buffer.from(bytes).indexOf(SECRET_DATA)
      bytes[text] = (bytes[text] ?? 0) ^ 1
      return flight
    }
  }
  throw new Error('no such step')
}
