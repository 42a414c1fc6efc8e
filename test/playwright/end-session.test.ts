import { expect, test } from 'vitest'
import type { ClientConnection, ClientTransport } from '../../src/client/transport.ts'
import { connectResponseRecord, replyHeaderRecord } from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { encode } from '../../src/core/jute/record.ts'
import { endSession } from '../../src/playwright/page/end-session.ts'

const SESSION = { id: 7n, password: new Uint8Array(16) }

/** A member that ends its first connections when the session was taken over there. */
class Server implements ClientTransport {
  /** What came, connection by connection. */
  readonly frames: number[] = []
  readonly closed: number[] = []
  readonly #losses: number

  constructor(losses: number) {
    this.#losses = losses
  }

  hosts(): ReturnType<ClientTransport['hosts']> {
    return [{ id: '1', label: 'machine 1', isLocal: true }]
  }

  async connect(): Promise<ClientConnection> {
    const at = this.frames.push(0) - 1
    const connection: ClientConnection = {
      onMessage: () => {},
      onClose: () => {},
      onTick: () => {},
      close: () => void this.closed.push(at),
      send: () => {
        const count = (this.frames[at] = (this.frames[at] ?? 0) + 1)
        queueMicrotask(() => {
          if (count === 1) connection.onMessage(welcome())
          else if (at < this.#losses) connection.onClose('client_reconnect')
          else connection.onMessage(answer())
        })
      },
    }
    return connection
  }
}

function welcome(): Uint8Array {
  return frame(
    encode(connectResponseRecord, {
      protocolVersion: 0,
      timeOut: 10_000,
      sessionId: SESSION.id,
      passwd: SESSION.password,
      readOnly: false,
    }),
  )
}

function answer(): Uint8Array {
  return frame(encode(replyHeaderRecord, { xid: 1, zxid: 1n, err: 0 }))
}

test('a client that takes its session back in between is no reason to give up', async () => {
  const server = new Server(3)
  await endSession(server, SESSION)
  expect(server.frames).toEqual([2, 2, 2, 2])
  expect(server.closed).toEqual([0, 1, 2, 3])
})

test('one that always does is one: the last reason is told', async () => {
  const server = new Server(Infinity)
  await expect(endSession(server, SESSION, 100)).rejects.toThrow(
    'the session was not ended: client_reconnect',
  )
  expect(server.closed).toHaveLength(server.frames.length)
})
