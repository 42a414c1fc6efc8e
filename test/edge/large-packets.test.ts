/** jute.maxbuffer above its default, through every bound on the way of a large write (W5, O31). */
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { frame } from '../../src/core/jute/framing.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { connectRequestRecord } from '../../src/core/jute/connect-records.ts'
import { createRequestRecord } from '../../src/core/jute/proto-records.ts'
import { encode } from '../../src/core/jute/record.ts'
import { NodeEnsemble } from './node-ensemble.ts'
import { FrameSplitter } from '../core/jute/frame-splitter.ts'

const MIB = 1024 * 1024
/** A busy machine copies slowly. */
const LIMIT_MS = 120_000
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

/** A client that sends what it likes. */
class Raw {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter(64 * MIB)
  readonly #frames: Uint8Array[] = []
  #wake = (): void => undefined
  #isOver = false

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (chunk) => {
      this.#frames.push(...this.#splitter.push(new Uint8Array(chunk)))
      this.#wake()
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#isOver = true
      this.#wake()
    })
  }

  /** null: the server closed. */
  async ask(payload: Uint8Array): Promise<DataView | null> {
    this.#socket.write(frame(payload))
    while (this.#frames.length === 0) {
      if (this.#isOver) return null
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const answer = this.#frames.shift()!
    return new DataView(answer.buffer, answer.byteOffset, answer.byteLength)
  }

  connect(): Promise<DataView | null> {
    return this.ask(
      encode(connectRequestRecord, {
        protocolVersion: 0,
        lastZxidSeen: 0n,
        timeOut: 30_000,
        sessionId: 0n,
        passwd: new Uint8Array(16),
        readOnly: false,
      }),
    )
  }

  /** The error code; null: the server closed. */
  async create(path: string, size: number): Promise<number | null> {
    const data = new Uint8Array(size).fill(7)
    const body = encode(createRequestRecord, { path, data, acl: OPEN, flags: 0 })
    const payload = new Uint8Array(8 + body.length)
    new DataView(payload.buffer).setInt32(0, 1)
    new DataView(payload.buffer).setInt32(4, OpCode.create)
    payload.set(body, 8)
    const answer = await this.ask(payload)
    return answer === null ? null : answer.getInt32(12)
  }

  end(): void {
    this.#socket.destroy()
  }
}

describe('jute.maxbuffer of 6 MiB', () => {
  it(
    'lets a write of 5 MiB through members, their disks and a snapshot',
    async () => {
      const said = { frameBytesMax: 6 * MIB, alwaysSendsSnapshot: true }
      await using ensemble = await NodeEnsemble.plan(2, 1, said)
      await Promise.all([1, 2].map((sid) => ensemble.start(sid)))
      await Promise.all([1, 2].map((sid) => ensemble.servers.get(sid)!.serving))
      const follower = ensemble.leader === 1 ? 2 : 1
      const raw = new Raw(ensemble.members[follower - 1]!.clientPort!)
      await raw.connect()
      expect(await raw.create('/large', 5 * MIB)).toBe(0)
      expect(await raw.create('/larger', 6 * MIB)).toBeNull()
      raw.end()
      await (
        await ensemble.start(3)
      ).serving
      await using client = await ensemble.client(3)
      const { data } = await client.getData('/large')
      expect([data?.length, data?.at(-1)]).toEqual([5 * MIB, 7])
    },
    LIMIT_MS,
  )

  it('without it, more than 1 MiB ends the connection', async () => {
    await using ensemble = await NodeEnsemble.plan(1)
    await ensemble.startAll()
    const raw = new Raw(ensemble.members[0]!.clientPort!)
    await raw.connect()
    expect(await raw.create('/small', MIB - 200)).toBe(0)
    expect(await raw.create('/large', MIB)).toBeNull()
    raw.end()
  })
})
