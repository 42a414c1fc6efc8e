/** A broker that keeps the protocol and edits what it relays. */

import { createServer } from 'node:http'
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
import { RoomBroker } from '../../src/signaling/room.ts'

export interface LyingBroker {
  readonly url: string
  edits(): number
  close(): Promise<void>
}

/** `flip` alters one byte of each envelope; the other knows the secret and edits what is inside. */
export async function lyingBroker(
  lie: 'flip' | 'swap-fingerprint',
  known?: { readonly room: string; readonly secret: string },
): Promise<LyingBroker> {
  const http = createServer()
  const sockets = new Map<number, { socket: WebSocket; peer: string; turn: Promise<void> }>()
  const broker = new RoomBroker()
  let edits = 0
  let next = 1

  const edit = async (body: string, from: string, to: string): Promise<string> => {
    const sealed = fromBase64(body)
    if (sealed === null) return body
    if (lie === 'flip' || known === undefined) {
      sealed[30] = (sealed[30] ?? 0) ^ 1
      edits++
      return toBase64(sealed)
    }
    const { key, roomId } = await deriveRoomKeys(known.room, known.secret)
    const view = new DataView(sealed.buffer)
    const sequence = view.getUint16(1) * 2 ** 32 + view.getUint32(3)
    const additionalData = new TextEncoder().encode(`${roomId}|${from}|${to}|${sequence}`)
    const cipher = { name: 'AES-GCM', iv: new Uint8Array(sealed.subarray(7, 19)), additionalData }
    const plain = await crypto.subtle.decrypt(cipher, key, new Uint8Array(sealed.subarray(19)))
    const text = new TextDecoder().decode(plain)
    const swapped = text.replace(/(fingerprint:sha-256 )([0-9A-F]{2})/, (_, head: string, two) => {
      edits++
      return `${head}${two === 'AA' ? 'BB' : 'AA'}`
    })
    const again = await crypto.subtle.encrypt(cipher, key, new TextEncoder().encode(swapped))
    return toBase64(new Uint8Array([...sealed.subarray(0, 19), ...new Uint8Array(again)]))
  }

  const deliver = async (id: number, text: string): Promise<void> => {
    const entry = sockets.get(id)
    const message = parseServerMessage(text)
    if (entry === undefined || message === null) return
    const out =
      message.type === 'relay'
        ? { ...message, body: await edit(message.body, message.from, entry.peer) }
        : message
    entry.socket.send(JSON.stringify(out))
  }

  const step = (input: Parameters<RoomBroker['step']>[0]): void => {
    for (const output of broker.step(input, performance.now())) {
      const entry = sockets.get(output.socket)
      if (entry === undefined) continue
      if (output.kind === 'close') entry.socket.close()
      else entry.turn = entry.turn.then(() => deliver(output.socket, output.text))
    }
  }

  new WebSocketServer({ server: http, path: SIGNAL_PATH }).on('connection', (socket) => {
    const id = next++
    sockets.set(id, { socket, peer: '', turn: Promise.resolve() })
    step({ kind: 'opened', socket: id })
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('utf8')
      const message = parseClientMessage(text)
      const entry = sockets.get(id)
      if (message?.type === 'join' && entry !== undefined) entry.peer = peerIdOf(message.token)
      step({ kind: 'text', socket: id, text })
    })
    socket.on('close', () => step({ kind: 'closed', socket: id, clean: false }))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}${SIGNAL_PATH}`,
    edits: () => edits,
    close: async () => {
      for (const { socket } of sockets.values()) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
