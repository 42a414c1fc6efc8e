// Machines of a room in processes of Node, over real WebRTC and a real broker, without any tab.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocket as NodeWebSocket } from 'ws'
import { NO_ICE_SETTINGS } from '../../../src/adapters/webrtc/ice-settings.ts'
import { socketOpener } from '../../../src/adapters/websocket/signal-socket.ts'
import { ZooKeeperClient } from '../../../src/client/zookeeper-client.ts'
import { linkedRoom, newRoom, type AskedRoom } from '../../../src/edge/join/asked-room.ts'
import { openMachineHome, type MachineHome } from '../../../src/edge/join/machine-home.ts'
import { loadNodeWebRtc, type NodeWebRtc } from '../../../src/edge/join/node-webrtc.ts'
import { RoomServer } from '../../../src/edge/join/room-server.ts'
import { startServer, type RunningServer } from '../../../src/edge/serve.ts'
import { serverSettings } from '../../../src/edge/settings.ts'
import { TcpTransport } from '../../../src/edge/tcp-transport.ts'
import { fourLetterWord } from '../../interop/apache.ts'

const text = new TextDecoder()
const openSocket = socketOpener((url) => new NodeWebSocket(url) as unknown as WebSocket)
let webRtc: NodeWebRtc
let broker: RunningServer
const directories: string[] = []
const open: AsyncDisposable[] = []

beforeAll(async () => {
  webRtc = await loadNodeWebRtc()
  broker = await startServer({ port: 0 })
})

afterAll(async () => {
  await broker.close()
  webRtc.release()
})

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

async function start(
  asked: AskedRoom,
  clientPort = 0,
): Promise<{ readonly home: MachineHome; readonly server: RoomServer }> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'zabra-room-'))
  directories.push(dataDirectory)
  const home = await openMachineHome({ dataDirectory, asked, preallocateBytes: 0 })
  open.push(home)
  const clientAddress = '127.0.0.1'
  const server = await RoomServer.open({
    settings: serverSettings({
      ...{ dataDirectory, clientPort, adminPort: 0 },
      ...{ clientAddress, adminAddress: clientAddress },
    }),
    ice: NO_ICE_SETTINGS,
    ...{ home, webRtc, openSocket },
  })
  open.push(server)
  return { home, server }
}

function clientOf({ clientPort }: RoomServer): ZooKeeperClient {
  const members = [{ host: '127.0.0.1', port: clientPort }]
  const client = new ZooKeeperClient({ transport: new TcpTransport({ members }) })
  open.push(client)
  return client
}

function room(size: number): AskedRoom {
  return newRoom({ signaling: `ws://127.0.0.1:${broker.port}`, size })
}

it('two machines found a room, a third observes, and all clients see one state', async () => {
  const first = await start(room(2))
  // Before the founding nobody is served, and a client waits for it.
  expect(await fourLetterWord(first.server.clientPort, 'srvr')).toContain('not currently serving')
  const early = clientOf(first.server)
  const created = early.create('/by-the-first', 'yes', { unsentWaitMs: Infinity })
  const link = first.home.room.address.href
  const second = await start({ kind: 'link', ...linkedRoom(link, null) })
  expect(await created).toBe('/by-the-first')
  expect(await fourLetterWord(second.server.clientPort, 'srvr')).toMatch(/Mode: (leader|follower)/)

  const third = await start({ kind: 'link', ...linkedRoom(link, null) })
  const late = clientOf(third.server)
  await late.connected()
  await late.sync('/by-the-first')
  const port = third.server.administration.adminPort ?? 0
  const health = `http://127.0.0.1:${port}/commands/ruok`
  // Between being a guest and having its place it serves nobody for a moment.
  await expect
    .poll(async (): Promise<unknown> => (await fetch(health)).json(), { timeout: 30_000 })
    .toMatchObject({ command: 'ruok', error: null })
  const { data } = await late.getData('/by-the-first')
  expect(text.decode(data ?? undefined)).toBe('yes')
  // Until it has a place its clients are a voter's; from then on they are its own.
  await expect.poll(() => third.server.status().phase, { timeout: 30_000 }).toBe('observer')
  expect(third.server.status().sid).toBe(3)
  const own = clientOf(third.server)
  await own.connected()
  expect(BigInt.asUintN(64, own.sessionId) >> 56n).toBe(3n)
  // Where a client comes from is what its socket says.
  expect(await own.whoAmI()).toContainEqual({ authScheme: 'ip', user: '127.0.0.1' })
})

it('whose port is taken is not heard of in the room', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()))
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(start(room(1), port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  other.close()
})
