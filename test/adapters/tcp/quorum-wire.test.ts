/** What goes over the quorum port, against what Apache ZooKeeper 3.8.0 sent (frames/*.json). */
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { toServerId, toZxid } from '../../../src/core/base/zxid.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { restoreTree, TreeSnapshot } from '../../../src/core/tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../../src/core/zab/effect.ts'
import { decodePacket } from '../../../src/core/zab/packets.ts'
import { parseInitialMessage } from '../../../src/adapters/tcp/first-message.ts'
import { PacketSplitter } from '../../../src/adapters/tcp/packet-splitter.ts'
import { configText } from '../../../src/adapters/tcp/quorum-member.ts'
import {
  IncomingSnapshot,
  OutgoingSnapshot,
  signatureString,
} from '../../../src/adapters/tcp/snapshot-stream.ts'
import { loadRecording } from '../../interop/frame-file.ts'
import { step } from '../../core/tree/random-history.ts'
import { TreeDriver } from '../../core/tree/tree-driver.ts'

const SIGNATURE = encodeUtf8('BenWasHere')
const packets = loadRecording('quorum')
  .frames.filter(({ what }) => /^[A-Z]+$/.test(what))
  .map(({ bytes }) => bytes)

/** In pieces of these lengths, over and over. */
function* pieces(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!
    yield bytes.subarray(at, at + length)
    at += length
  }
}

function chunksOf(tree: DataTree): Uint8Array[] {
  const source = new TreeSnapshot(tree)
  const chunks: Uint8Array[] = []
  for (;;) {
    const next = source.next(SNAPSHOT_CHUNK_BYTES)
    if (next === null) return chunks
    chunks.push(next)
  }
}

describe('quorum packets', () => {
  it.each([[[1]], [[7, 1, 30]], [[65_536]]])('are cut out of pieces of %j', (lengths) => {
    const splitter = new PacketSplitter()
    const found: string[] = []
    for (const piece of pieces(concat(packets), lengths)) {
      splitter.push(piece)
      for (let next = splitter.next(); next !== null; next = splitter.next()) {
        found.push(toHex(next))
      }
    }
    expect(packets.length).toBeGreaterThan(20)
    expect(found).toEqual(packets.map(toHex))
    expect(splitter.takeRest()).toHaveLength(0)
  })

  it.each([
    ['a field of −2 bytes', '00000003 0000000000000001 fffffffe'],
    ['a field longer than any', '00000003 0000000000000001 7fffffff'],
    ['a million identities', '00000003 0000000000000001 ffffffff 000f4240'],
  ])('with %s are refused before anything is kept for them', (_name, hex) => {
    const splitter = new PacketSplitter()
    splitter.push(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
    expect(() => splitter.next()).toThrow(JuteError)
  })
})

describe('a snapshot in the stream', () => {
  const driver = new TreeDriver()
  const rng = new Prng('stream')
  for (let i = 0; i < 500; i++) step(driver, rng)
  driver.create('/big', { data: new Uint8Array(150_000).fill(1) })
  const { tree } = driver
  const chunks = chunksOf(tree)
  const outgoing = new OutgoingSnapshot()
  const wire = concat([...chunks.map((chunk) => outgoing.push(chunk)), signatureString(SIGNATURE)])

  it('is what stands between header and seal of a file', () => {
    const file = concat(chunks)
    const body = wire.length - signatureString(SIGNATURE).length
    expect(toHex(wire.subarray(0, body))).toBe(toHex(file.subarray(16, 16 + body)))
    // The last node of it is "/".
    expect(toHex(wire.subarray(body - 5, body))).toBe('000000012f')
  })

  it.each([[[1]], [[13, 50_000, 3]], [[1_000_000]]])('comes back in pieces of %j', (lengths) => {
    const incoming = new IncomingSnapshot(tree.lastProcessed, SIGNATURE)
    const said: Uint8Array[] = []
    const behind = new Uint8Array([1, 2, 3])
    let left = 0
    for (const piece of pieces(concat([wire, behind]), lengths)) {
      if (incoming.isDone) {
        left += piece.length
        continue
      }
      const { packets: some, used } = incoming.push(piece)
      said.push(...some)
      left += piece.length - used
    }
    expect([incoming.isDone, left]).toEqual([true, behind.length])
    const decoded = said.map((packet) => decodePacket(packet))
    expect(decoded.at(-1)).toMatchObject({ zxid: -1n, data: SIGNATURE })
    const parts = decoded.slice(0, -1)
    expect(parts.map(({ zxid }) => zxid)).toEqual(parts.map((_, i) => BigInt(i)))
    for (const { data } of parts) expect(data!.length).toBeLessThanOrEqual(SNAPSHOT_CHUNK_BYTES)
    const back = restoreTree(parts.map(({ data }) => data!))
    expect(back.lastProcessed).toBe(tree.lastProcessed)
    expect(back.digest).toBe(tree.digest)
  })

  it.each([
    ['another signature', concat([wire.subarray(0, wire.length - 1), new Uint8Array([0])])],
    ['minus two sessions', new Uint8Array([0xff, 0xff, 0xff, 0xfe])],
    ['a path of one letter', new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x61])],
  ])('with %s is refused', (_name, bytes) => {
    expect(() => new IncomingSnapshot(1n, SIGNATURE).push(bytes)).toThrow(JuteError)
  })

  it('of an empty tree is read, too', () => {
    const all = concat(chunksOf(new DataTree()))
    const bytes = concat([new OutgoingSnapshot().push(all), signatureString(SIGNATURE)])
    const incoming = new IncomingSnapshot(toZxid(0n), SIGNATURE)
    expect(incoming.push(bytes).used).toBe(bytes.length)
    expect(incoming.isDone).toBe(true)
  })
})

describe('the handshake of an election connection (Q21)', () => {
  const recorded = loadRecording('election').frames
  const greetings = recorded.filter(({ what }) => what === 'InitialMessage')

  it("is read as Apache's, whole or byte by byte", () => {
    expect(greetings.length).toBeGreaterThan(0)
    for (const { bytes } of greetings) {
      for (let end = 0; end < bytes.length; end++) {
        expect(parseInitialMessage(bytes.subarray(0, end))).toBeNull()
      }
      const first = parseInitialMessage(concat([bytes, new Uint8Array(3)]))
      expect(first).toMatchObject({ length: bytes.length })
      expect([1n, 2n, 3n, 4n]).toContain(first?.value)
    }
  })

  it.each([
    ['another version', 'fffffffffffeffff 0000000000000001 00000003 612e62'],
    ['no address', 'ffffffffffff0000 0000000000000001 00000000'],
    ['an address of a megabyte', 'ffffffffffff0000 0000000000000001 00100000'],
  ])('with %s is refused', (_name, hex) => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    expect(() => parseInitialMessage(bytes)).toThrow(JuteError)
  })

  it('is followed by notifications with a configuration of this form (Q8, Q9)', () => {
    const text = configText([
      {
        ...{ sid: toServerId(1), host: '10.0.0.1', quorumPort: 2888, electionPort: 3888 },
        role: 'participant',
      },
      {
        ...{ sid: toServerId(2), host: '::1', quorumPort: 2889, electionPort: 3889 },
        ...{ role: 'observer', clientAddress: '127.0.0.1', clientPort: 2181 },
      },
    ])
    expect(Buffer.from(text).toString()).toBe(
      'server.1=10.0.0.1:2888:3888:participant\n' +
        'server.2=[::1]:2889:3889:observer;127.0.0.1:2181\nversion=0',
    )
    const apache = recorded.find(({ what }) => what === 'Notification')!.bytes
    expect(Buffer.from(apache).toString('latin1')).toMatch(
      /server\.1=127\.0\.0\.1:\d+:\d+:participant\n(server.*\n)+version=0$/,
    )
  })
})
