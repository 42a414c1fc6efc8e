/** Recordings of one server: client frames, its transaction log and its snapshot. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownPorts } from '../own-ports.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import {
  deleteContainerRequestRecord,
  existsRequestRecord,
} from '../../src/core/jute/proto-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { authPacketRecord, getSASLRequestRecord } from '../../src/core/jute/session-records.ts'
import { runClient, startServer, waitUntilServing } from './apache.ts'
import { ClientTap } from './client-tap.ts'
import { saveRecording, type Frame } from './frame-file.ts'
import { RawClient } from './raw-client.ts'
import { RecordingProxy } from './recording-proxy.ts'

/** magic, version, dbid (P2). */
const LOG_HEADER_BYTES = 16

export async function recordStandalone(directory: string, classes: string): Promise<void> {
  const [clientPort = 0, proxyPort = 0] = await ownPorts(2)
  const options = { directory, clientPort }
  const server = startServer(options)
  await waitUntilServing(clientPort)
  const frames: Frame[] = []
  const proxy = await RecordingProxy.listen(proxyPort, clientPort, () => new ClientTap(frames))
  await runClient(classes, ['operations', `127.0.0.1:${proxyPort}`], (line) => {
    if (line === 'DROP') proxy.dropConnections()
  })
  saveRecording('client', 'Apache ZooKeeper 3.8.0, its Java client and a server', frames)

  const odd: Frame[] = []
  const oddProxyPort = (await ownPorts(1))[0] ?? 0
  const oddProxy = await RecordingProxy.listen(oddProxyPort, clientPort, () => new ClientTap(odd))
  await sendOddRequests(oddProxyPort)
  saveRecording('client-odd', 'Apache ZooKeeper 3.8.0, and requests by our own encoders', odd)
  proxy.close()
  oddProxy.close()

  await server.stop()
  // A standalone server takes a snapshot when it starts (P17).
  const again = startServer(options)
  await waitUntilServing(clientPort)
  await again.stop()
  saveRecording('files', 'Apache ZooKeeper 3.8.0, a transaction log and a snapshot', [
    ...readLog(fileAt(server.dataDirectory, 'log.', 0)),
    {
      from: 'disk',
      what: 'snapshot',
      bytes: new Uint8Array(readFileSync(fileAt(server.dataDirectory, 'snapshot.', -1))),
    },
  ])
}

/**
 * What ZooKeeper's client refuses to send, or has no call for. Not a top-level check (13): 3.8.0
 * logs it, cannot read it back and never starts again.
 */
async function sendOddRequests(port: number): Promise<void> {
  const old = await RawClient.open(port, undefined)
  await old.request(OpCode.exists, existsRequestRecord, { path: '/', watch: false })
  await old.request(OpCode.exists, existsRequestRecord, { path: 'no slash', watch: false })
  await old.send(OpCode.create, new Uint8Array([0, 0, 0, 9, 0]))
  await old.send(OpCode.exists, new Uint8Array([255, 255, 255, 255, 0]))
  await old.request(OpCode.sasl, getSASLRequestRecord, { token: new Uint8Array(0) })
  await old.request(OpCode.deleteContainer, deleteContainerRequestRecord, { path: '/c2' })
  await old.request(OpCode.auth, authPacketRecord, {
    type: 0,
    scheme: 'digest',
    auth: new Uint8Array([97, 58, 98]),
  })
  await old.send(888)
  old.close()
  const closing = await RawClient.open(port, false)
  await closing.send(OpCode.closeSession)
  closing.close()
  await sleep(200)
}

/** The header, then every entry with its checksum and its 0x42 (P2–P5). */
function readLog(path: string): Frame[] {
  const bytes = new Uint8Array(readFileSync(path))
  const frames: Frame[] = []
  let at = LOG_HEADER_BYTES
  frames.push({ from: 'disk', what: 'log-header', bytes: bytes.slice(0, at) })
  for (;;) {
    const r = new JuteReader(bytes.subarray(at))
    if (r.remaining < 12) return frames
    r.long()
    const length = r.int()
    if (length === 0) return frames
    const end = at + 12 + length + 1
    frames.push({ from: 'disk', what: 'log-entry', bytes: bytes.slice(at, end) })
    at = end
  }
}

/** The file of a kind at a place in zxid order: 0 the first, −1 the last. */
function fileAt(directory: string, prefix: string, place: number): string {
  const zxidOf = (name: string) => parseInt(name.slice(prefix.length), 16)
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix))
  const name = names.sort((a, b) => zxidOf(a) - zxidOf(b)).at(place)
  if (name === undefined) throw new Error(`no ${prefix} file in ${directory}`)
  return join(directory, name)
}
