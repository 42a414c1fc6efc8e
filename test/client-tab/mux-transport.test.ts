import { describe, expect, test } from 'vitest'
import { ClientMux } from '../../src/adapters/webrtc/client-mux.ts'
import { MuxTransport } from '../../src/browser/mux-transport.ts'
import { memoryPair, settle } from '../runtime/bench.ts'

function linked() {
  const [here, there] = memoryPair()
  const voters = new Map([[2, new ClientMux(here)]])
  const far = new ClientMux(there)
  return { transport: new MuxTransport(() => voters), voters, far, here }
}

const never = new AbortController().signal

describe('the way of a client-only tab', () => {
  test('leads to the voters that it reaches, by their ids', async () => {
    const { transport, voters, here } = linked()
    voters.set(1, new ClientMux(here))
    expect(transport.hosts().map(({ label }) => label)).toEqual(['machine 1', 'machine 2'])
    voters.clear()
    const gone = { id: '2', label: 'machine 2', isLocal: false }
    await expect(transport.connect(gone, never)).rejects.toThrow('no link to machine 2')
  })

  test('carries messages both ways, and tells the end once', async () => {
    const { transport, far } = linked()
    const heard: string[] = []
    far.onOpen = (connection) => {
      connection.onMessage = ([byte = 0]) => connection.send(Uint8Array.of(byte + 1))
      connection.onClose = (reason) => heard.push(`far ${reason}`)
    }
    const [host] = transport.hosts()
    const connection = await transport.connect(host!, never)
    connection.onMessage = ([byte]) => heard.push(`near ${String(byte)}`)
    connection.onClose = (reason) => heard.push(`near ${reason}`)
    connection.send(Uint8Array.of(7))
    await settle()
    connection.close('done')
    await settle()
    expect(heard).toEqual(['near 8', 'far done'])
  })

  test('tells an end that came before anybody listened', async () => {
    const { transport, here } = linked()
    here.close('link lost')
    await settle()
    const [host] = transport.hosts()
    const connection = await transport.connect(host!, never)
    const heard: string[] = []
    connection.onClose = (reason) => heard.push(reason)
    await settle()
    expect(heard).toEqual(['link closed'])
  })
})
