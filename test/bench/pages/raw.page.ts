/**
 * One page of the raw ensemble: simple-peer connects it, one negotiated channel per pair moves into
 * the worker. Signals go by way of the bench itself (`sendSignal`).
 */
import * as Comlink from 'comlink'
import SimplePeer from 'simple-peer'
import { measurePipeline, measureSequence, type PipelineSpec } from '../workload.ts'
import type { RawWorker } from './raw.worker.ts'

/** Beside simple-peer's own channel. */
const CHANNEL_ID = 7

const worker = Comlink.wrap<RawWorker>(
  new Worker(new URL('./raw.worker.ts', import.meta.url), { type: 'module' }),
)
const peers = new Map<number, SimplePeer.Instance>()
let port: MessagePort | null = null
let echoed: (() => void)[] = []

function connect(peer: number, isInitiator: boolean): SimplePeer.Instance {
  const made = new SimplePeer({ initiator: isInitiator, config: { iceServers: [] } })
  const { _pc } = made as unknown as { readonly _pc: RTCPeerConnection }
  const channel = _pc.createDataChannel('raw', { negotiated: true, id: CHANNEL_ID })
  void worker.attach(peer, Comlink.transfer(channel, [channel]))
  made.on('signal', (signal) => void window.sendSignal(peer, signal))
  made.on('error', () => {
    // The other page was closed at the end of a round.
  })
  peers.set(peer, made)
  return made
}

const raw = {
  /** Resolves with the time (ms since 1970) at which every channel was open. */
  async join(self: number, size: number): Promise<number> {
    await worker.open(`raw ${self}`)
    for (let peer = 1; peer < self; peer++) connect(peer, true)
    await worker.opened(size - 1)
    return performance.timeOrigin + performance.now()
  },
  signal(from: number, signal: SimplePeer.SignalData): void {
    const peer = peers.get(from) ?? connect(from, false)
    peer.signal(signal)
  },
  lead: () => worker.lead(),
  follow: (leader: number) => worker.follow(leader),
  sequence: (count: number, entryBytes: number) => worker.sequence(count, entryBytes),
  pipeline: (entryBytes: number, spec: PipelineSpec) => worker.pipeline(entryBytes, spec),
  roundTrips: (peer: number, count: number) => worker.roundTrips(peer, count),
  sendBulk: (peer: number, bytes: number) => worker.sendBulk(peer, bytes),
  async openEcho(): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => echoed.shift()?.()
    port = port1
    await worker.echo(Comlink.transfer(port2, [port2]))
  },
  echoSequence: (count: number, bytes: number) => measureSequence(() => echo(bytes), count),
  echoPipeline: (bytes: number, spec: PipelineSpec) => measurePipeline(() => echo(bytes), spec),
}

function echo(bytes: number): Promise<void> {
  const message = new Uint8Array(bytes)
  port?.postMessage(message, [message.buffer])
  return new Promise((resolve) => echoed.push(resolve))
}

addEventListener('pagehide', () => {
  for (const peer of peers.values()) peer.destroy()
  echoed = []
})

declare global {
  interface Window {
    raw: typeof raw
    /** The bench hands it to the other page. */
    sendSignal(to: number, signal: SimplePeer.SignalData): Promise<void>
  }
}

window.raw = raw
