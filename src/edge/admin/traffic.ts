/**
 * What goes through the client port, counted where it goes in and out: the core knows nothing of
 * it, and a tab pays nothing for it.
 */
import { EventType } from '../../core/jute/event-type.ts'
import { isWrite } from '../../core/server/request.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import {
  ConnectionTap,
  type TapFacts,
  type TapHost,
  type TrafficLimits,
  type TrafficListener,
} from './connection-tap.ts'
import { AvgMinMax, Distribution, SizeRange } from './distribution.ts'

/** Op codes from −16 to 127 have a place. */
const OP_OFFSET = 16
const OP_PLACES = 144

export class Traffic implements TapHost {
  readonly limits: TrafficLimits
  readonly now: () => number
  /** Null: nobody listens. */
  listener: TrafficListener | null = null
  packetsReceived = 0
  packetsSent = 0
  bytesReceived = 0
  responseBytes = 0
  watchBytes = 0
  connectionRequests = 0
  revalidations = 0
  /** Connections without TLS so far. */
  plainLocal = 0
  plainRemote = 0
  /** Cut off because they did not read what they had asked for. */
  slowClients = 0
  /** Refused before they became connections: limits of the client port. */
  rejected = 0
  readonly latency: AvgMinMax = new AvgMinMax()
  readonly reads: Distribution = new Distribution()
  readonly updates: Distribution = new Distribution()
  readonly responses: SizeRange = new SizeRange()
  /** How many hear of one change, by the type of the event. */
  readonly watchRuns: ReadonlyMap<number, Distribution> = new Map(
    [
      EventType.NodeCreated,
      EventType.NodeDeleted,
      EventType.NodeDataChanged,
      EventType.NodeChildrenChanged,
    ].map((type) => [type, new Distribution()]),
  )
  readonly closeReasons: Map<string, number> = new Map()
  readonly #opCounts = new Float64Array(OP_PLACES)
  readonly #taps = new Set<ConnectionTap>()
  #runType = 0
  #runHigh = 0
  #runLow = 0
  #runLength = 0

  constructor(limits: TrafficLimits, now: () => number) {
    this.limits = limits
    this.now = now
  }

  /** The channel to serve in place of this one. */
  tap(channel: ClientChannel, facts: TapFacts): ClientChannel {
    const tap = new ConnectionTap(channel, this, facts)
    this.#taps.add(tap)
    this.connectionRequests++
    if (!facts.isSecure && isLocal(facts.address)) this.plainLocal++
    else if (!facts.isSecure) this.plainRemote++
    return tap
  }

  get connections(): ReadonlySet<ConnectionTap> {
    return this.#taps
  }

  opCount(type: number): number {
    return this.#opCounts[type + OP_OFFSET] ?? 0
  }

  closed(tap: ConnectionTap, reason: string, detail: string | null): void {
    if (!this.#taps.delete(tap)) return
    this.closeReasons.set(reason, (this.closeReasons.get(reason) ?? 0) + 1)
    this.listener?.closed(tap, reason, detail)
  }

  requested(type: number, bytes: number): void {
    const place = type + OP_OFFSET
    if (place >= 0 && place < OP_PLACES) this.#opCounts[place] = (this.#opCounts[place] ?? 0) + 1
    this.packetsReceived++
    this.bytesReceived += bytes
  }

  responded(bytes: number): void {
    this.packetsSent++
    this.responseBytes += bytes
    this.responses.add(bytes)
  }

  measured(type: number, tookMs: number): void {
    this.latency.add(tookMs)
    if (isWrite(type)) this.updates.add(tookMs)
    else this.reads.add(tookMs)
  }

  /** Events of one transaction come one after another, so a run of them is one change. */
  notified(type: number, zxidHigh: number, zxidLow: number, bytes: number): void {
    this.packetsSent++
    this.watchBytes += bytes
    if (type !== this.#runType || zxidLow !== this.#runLow || zxidHigh !== this.#runHigh) {
      this.endRun()
      this.#runType = type
      this.#runHigh = zxidHigh
      this.#runLow = zxidLow
    }
    this.#runLength++
  }

  /** Also before the figures are read. */
  endRun(): void {
    if (this.#runLength > 0) this.watchRuns.get(this.#runType)?.add(this.#runLength)
    this.#runLength = 0
  }

  /** srst: what ServerStats resets. */
  reset(): void {
    this.packetsReceived = 0
    this.packetsSent = 0
    this.latency.reset()
    this.responses.reset()
  }

  resetConnections(): void {
    for (const tap of this.#taps) tap.reset()
  }
}

/** Of this machine. */
function isLocal(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
