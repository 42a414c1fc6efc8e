/** A learner made of our own codecs, that an Apache leader takes for one of its own. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { concat } from '../../src/core/base/bytes.ts'
import { JuteError } from '../../src/core/jute/jute-error.ts'
import {
  ackEpochRecord,
  learnerInfoRecord,
  packetName,
  PacketType,
  PROTOCOL_VERSION,
  quorumPacketRecord,
  type QuorumPacket,
} from '../../src/core/jute/quorum-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { encode } from '../../src/core/jute/record.ts'

const WAIT_TIMEOUT_MS = 20_000

export interface LearnerState {
  readonly serverid: bigint
  readonly observer: boolean
  readonly acceptedEpoch: bigint
  readonly currentEpoch: number
  readonly lastZxid: bigint
}

export class RawLearner {
  readonly #socket: Socket
  #held: Uint8Array = new Uint8Array(0)
  #wake: () => void = () => undefined
  /** Names of what came, in order. */
  readonly received: string[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#wake()
    })
  }

  static async open(port: number, state: LearnerState): Promise<RawLearner> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const learner = new RawLearner(socket)
    socket.on('data', (chunk: Uint8Array) => learner.#onBytes(new Uint8Array(chunk), state))
    learner.#send({
      type: state.observer ? PacketType.OBSERVERINFO : PacketType.FOLLOWERINFO,
      zxid: state.acceptedEpoch << 32n,
      data: encode(learnerInfoRecord, {
        serverid: state.serverid,
        protocolVersion: PROTOCOL_VERSION,
        configVersion: 0n,
      }),
      authinfo: null,
    })
    return learner
  }

  /** Until a packet of that name has come. */
  async waitFor(name: string): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(), WAIT_TIMEOUT_MS)
    while (!this.received.includes(name)) {
      if (this.#socket.destroyed) throw new Error(`no ${name} among ${this.received.join(' ')}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(timer)
  }

  close(): void {
    this.#socket.destroy()
  }

  #onBytes(chunk: Uint8Array, state: LearnerState): void {
    this.#held = concat([this.#held, chunk])
    for (;;) {
      const r = new JuteReader(this.#held)
      let packet: QuorumPacket
      try {
        packet = quorumPacketRecord.read(r)
      } catch (error) {
        if (error instanceof JuteError) return
        throw error
      }
      this.#held = this.#held.slice(this.#held.length - r.remaining)
      this.received.push(packetName(packet.type))
      this.#answer(packet, state)
      this.#wake()
    }
  }

  #answer(packet: QuorumPacket, state: LearnerState): void {
    switch (packet.type) {
      case PacketType.LEADERINFO: {
        // The same epoch again is accepted but no acknowledgement (Q27).
        const currentEpoch = packet.zxid >> 32n === state.acceptedEpoch ? -1 : state.currentEpoch
        const data = encode(ackEpochRecord, { currentEpoch, truncFloor: 0n })
        this.#send({ type: PacketType.ACKEPOCH, zxid: state.lastZxid, data, authinfo: null })
        return
      }
      case PacketType.NEWLEADER:
      case PacketType.UPTODATE:
      case PacketType.PROPOSAL:
        this.#send({ type: PacketType.ACK, zxid: packet.zxid, data: null, authinfo: null })
        return
      case PacketType.PING:
        this.#send({ ...packet, data: new Uint8Array(0) })
    }
  }

  #send(packet: QuorumPacket): void {
    this.#socket.write(encode(quorumPacketRecord, packet))
  }
}
