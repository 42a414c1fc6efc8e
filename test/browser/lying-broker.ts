/** A broker that keeps the protocol and edits what it relays. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { fromBase64, toBase64 } from '../../src/core/base/bytes.ts'
import { deriveRoomKeys } from '../../src/signaling/envelope.ts'
import {
  parseClientMessage,
  parseServerMessage,
  peerIdOf,
  SIGNAL_PATH,
} from '../../src/signaling/protocol.ts'
import { RoomBroker, type RoomInput } from '../../src/signaling/room.ts'

/** Rewrites the sealed body that goes from one peer to another. */
type Lie = (sealed: Uint8Array, from: string, to: string) => Promise<Uint8Array>

interface Guest {
  readonly socket: WebSocket
  peer: string
  /** Lies take time; messages keep their order. */
  turn: Promise<void>
}

export class LyingBroker {
  readonly #http: Server = createServer()
  readonly #guests: Map<number, Guest> = new Map()
  readonly #rules: RoomBroker = new RoomBroker()
  readonly #lie: Lie
  #nextGuest = 1

  constructor(lie: Lie) {
    this.#lie = lie
    new WebSocketServer({ server: this.#http, path: SIGNAL_PATH }).on('connection', (socket) => {
      this.#adopt(socket)
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve))
    const { port } = this.#http.address() as AddressInfo
    return `ws://127.0.0.1:${port}${SIGNAL_PATH}`
  }

  async close(): Promise<void> {
    for (const { socket } of this.#guests.values()) socket.terminate()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  #adopt(socket: WebSocket): void {
    const id = this.#nextGuest++
    const guest: Guest = { socket, peer: '', turn: Promise.resolve() }
    this.#guests.set(id, guest)
    this.#step({ kind: 'opened', socket: id })
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('utf8')
      const message = parseClientMessage(text)
      if (message?.type === 'join') guest.peer = peerIdOf(message.token)
      this.#step({ kind: 'text', socket: id, text })
    })
    socket.on('close', () => this.#step({ kind: 'closed', socket: id, clean: false }))
  }

  #step(input: RoomInput): void {
    for (const output of this.#rules.step(input, performance.now())) {
      const guest = this.#guests.get(output.socket)
      if (guest === undefined) continue
      if (output.kind === 'close') guest.socket.close()
      else guest.turn = guest.turn.then(() => this.#deliver(guest, output.text))
    }
  }

  async #deliver(guest: Guest, text: string): Promise<void> {
    const message = parseServerMessage(text)
    const sealed = message?.type === 'relay' ? fromBase64(message.body) : null
    if (message?.type !== 'relay' || sealed === null) {
      guest.socket.send(text)
      return
    }
    const body = toBase64(await this.#lie(sealed, message.from, guest.peer))
    guest.socket.send(JSON.stringify({ ...message, body }))
  }
}

/** Alters one byte of each envelope. */
export const flipByte: Lie = async (sealed) => {
  const altered = sealed.slice()
  altered[30] = (altered[30] ?? 0) ^ 1
  return altered
}

/** Knows the room's secret, and puts another fingerprint into each description. */
export function swapFingerprint(room: string, secret: string, onSwap: () => void): Lie {
  return async (sealed, from, to) => {
    const { key, roomId } = await deriveRoomKeys(room, secret)
    const view = new DataView(sealed.buffer, sealed.byteOffset)
    const sequence = view.getUint16(1) * 2 ** 32 + view.getUint32(3)
    const additionalData = new TextEncoder().encode(`${roomId}|${from}|${to}|${sequence}`)
    const cipher = { name: 'AES-GCM', iv: new Uint8Array(sealed.subarray(7, 19)), additionalData }
    const plain = await crypto.subtle.decrypt(cipher, key, new Uint8Array(sealed.subarray(19)))
    const text = new TextDecoder().decode(plain)
    const swapped = text.replace(/(fingerprint:sha-256 )(..)/, (_, head: string, two: string) => {
      onSwap()
      return `${head}${two === 'AA' ? 'BB' : 'AA'}`
    })
    const again = await crypto.subtle.encrypt(cipher, key, new TextEncoder().encode(swapped))
    return new Uint8Array([...sealed.subarray(0, 19), ...new Uint8Array(again)])
  }
}
