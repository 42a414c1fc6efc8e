import { afterEach, describe, expect, test } from 'vitest'
import { PortTransport, readMessage, type PortTarget } from '../../src/client/port-transport.ts'
import type { ClientConnection } from '../../src/client/transport.ts'

const open: MessagePort[] = []

afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

interface Pair {
  readonly connection: ClientConnection
  readonly far: MessagePort
  readonly heard: unknown[]
}

async function connect(target: PortTarget = 'local'): Promise<Pair> {
  const { port1, port2 } = new MessageChannel()
  open.push(port1, port2)
  const transport = new PortTransport({ members: () => [target], openPort: () => port1 })
  const [host] = transport.hosts()
  if (host === undefined) throw new Error('no host')
  const connection = await transport.connect(host, new AbortController().signal)
  const heard: unknown[] = []
  port2.addEventListener('message', (event) => heard.push(event.data))
  port2.start()
  return { connection, far: port2, heard }
}

/** Ports deliver in tasks of their own. */
async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isDone(); i++) await new Promise((resolve) => setImmediate(resolve))
  expect(isDone()).toBe(true)
}

describe('hosts', () => {
  test("the own tab's member first, then by number, each once", () => {
    const transport = new PortTransport({
      members: () => [3, 1, 'local', 3],
      openPort: () => new MessageChannel().port1,
    })
    expect(transport.hosts().map(({ id, isLocal }) => [id, isLocal])).toEqual([
      ['local', true],
      ['1', false],
      ['3', false],
    ])
  })

  test('the page is asked for a port to that member', async () => {
    const asked: PortTarget[] = []
    const { port1, port2 } = new MessageChannel()
    open.push(port1, port2)
    const transport = new PortTransport({
      members: () => ['local', 2],
      openPort: async (target) => {
        asked.push(target)
        return port1
      },
    })
    for (const host of transport.hosts().slice(1)) {
      await transport.connect(host, new AbortController().signal)
    }
    expect(asked).toEqual([2])
  })

  test('an attempt that is not wanted any more closes its port', async () => {
    const { port1, port2 } = new MessageChannel()
    open.push(port1, port2)
    const heard: unknown[] = []
    port2.addEventListener('message', (event) => heard.push(event.data))
    port2.start()
    const transport = new PortTransport({ members: () => [1], openPort: async () => port1 })
    const controller = new AbortController()
    const [host] = transport.hosts()
    if (host === undefined) throw new Error('no host')
    const attempt = transport.connect(host, controller.signal)
    controller.abort(new Error('too late'))
    await expect(attempt).rejects.toThrow('too late')
    await until(() => heard.length === 1)
    expect(heard[0]).toMatchObject({ kind: 'close' })
  })
})

describe('a connection', () => {
  test('carries bytes both ways, and ticks', async () => {
    const { connection, far, heard } = await connect()
    const got: number[][] = []
    let ticks = 0
    connection.onMessage = (bytes) => got.push([...bytes])
    connection.onTick = () => ticks++
    const whole = new Uint8Array([1, 2, 3])
    connection.send(whole)
    connection.send(new Uint8Array([9, 4, 5, 9]).subarray(1, 3))
    far.postMessage({ data: new Uint8Array([7]) })
    far.postMessage({ kind: 'tick' })
    await until(() => heard.length === 2 && ticks === 1)
    expect(heard).toEqual([{ data: new Uint8Array([1, 2, 3]) }, { data: new Uint8Array([4, 5]) }])
    expect(got).toEqual([[7]])
    // The buffer moved, it was not copied.
    expect(whole.byteLength).toBe(0)
  })

  test('is closed by the other side, once, with its reason', async () => {
    const { connection, far } = await connect()
    const reasons: string[] = []
    connection.onClose = (reason) => reasons.push(reason)
    far.postMessage({ kind: 'close', reason: 'member stopped' })
    far.postMessage({ kind: 'close', reason: 'again' })
    await until(() => reasons.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(reasons).toEqual(['member stopped'])
  })

  test('our own close is told to the other side and not to us', async () => {
    const { connection, heard } = await connect()
    const reasons: string[] = []
    connection.onClose = (reason) => reasons.push(reason)
    connection.close('done')
    connection.close('twice')
    connection.send(new Uint8Array([1]))
    await until(() => heard.length > 0)
    expect(heard).toEqual([{ kind: 'close', reason: 'done' }])
    expect(reasons).toEqual([])
  })

  test('closes at a message of unknown form', async () => {
    const { connection, far } = await connect()
    const reasons: string[] = []
    connection.onClose = (reason) => reasons.push(reason)
    far.postMessage('nonsense')
    await until(() => reasons.length > 0)
    expect(reasons[0]).toContain('unknown form')
  })
})

test('messages are read by their form only', () => {
  expect(readMessage({ data: new Uint8Array([1]) })).toEqual({ data: new Uint8Array([1]) })
  expect(readMessage({ kind: 'tick', more: 1 })).toEqual({ kind: 'tick' })
  expect(readMessage({ kind: 'close', reason: 5 })).toEqual({ kind: 'close', reason: '' })
  for (const bad of [null, 1, 'x', {}, { data: [1] }, { kind: 'other' }]) {
    expect(readMessage(bad)).toBeNull()
  }
})
