/** A state machine as simple as can be: the list of what was delivered. */
import { assert } from '../../../src/core/base/assert.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { ZXID_NONE, type ServerId, type Zxid } from '../../../src/core/base/zxid.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import type { LogEntry, Moment } from '../../../src/core/zab/effect.ts'
import type { EffectList } from '../../../src/core/zab/effect-list.ts'
import type {
  Broadcaster,
  Replica,
  ReplicaPacket,
  Service,
  SnapshotSource,
} from '../../../src/core/zab/replica.ts'

export interface Applied {
  readonly zxid: Zxid
  readonly text: string
}

export interface ReplicaWatcher {
  onDeliver(applied: Applied, service: Service): void
  onService(service: Service): void
  onPropose?(proposed: Applied, service: Service): void
}

const STOPPED: Service = { kind: 'stopped', reason: 'not started' }

export class FakeReplica implements Replica {
  readonly #watcher: ReplicaWatcher
  readonly received: { from: ServerId; packet: ReplicaPacket }[] = []
  readonly fromLeader: ReplicaPacket[] = []
  history: Applied[] = []
  service: Service = STOPPED
  services: Service[] = []
  restores = 0
  /** True while reads may be answered without a leader: the state must not move then. */
  isLooking = false
  /** Set by whoever puts replica and peer together; a leader turns requests into proposals. */
  broadcaster: Broadcaster | null = null
  #chunkBytes: number

  constructor(watcher: ReplicaWatcher, chunkBytes = 40) {
    this.#watcher = watcher
    this.#chunkBytes = chunkBytes
  }

  get texts(): string[] {
    return this.history.map(({ text }) => text)
  }

  lastProcessed(): Zxid {
    return this.history.at(-1)?.zxid ?? ZXID_NONE
  }

  deliver(entry: LogEntry): void {
    assert(entry.zxid > this.lastProcessed(), 'delivered out of order')
    assert(!this.isLooking, 'delivered while looking')
    const applied = { zxid: entry.zxid, text: textOf(entry.entry) }
    this.history.push(applied)
    this.#watcher.onDeliver(applied, this.service)
  }

  restore(
    snapshot: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] },
    log: readonly LogEntry[],
  ): void {
    this.restores++
    const text = snapshot.chunks.map((chunk) => decodeUtf8(chunk)).join('')
    if (text.startsWith('!')) throw new JuteError('malformed snapshot')
    this.history = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [zxid, ...rest] = line.split(' ')
        return { zxid: BigInt(zxid ?? 0) as Zxid, text: rest.join(' ') }
      })
    for (const { zxid, entry } of log) this.history.push({ zxid, text: textOf(entry) })
  }

  beginSnapshot(): SnapshotSource {
    return snapshotOf(this.history, this.#chunkBytes)
  }

  onService(service: Service): void {
    assert(!this.isLooking, 'served while looking')
    this.service = service
    this.services.push(service)
    this.#watcher.onService(service)
  }

  onLooking(isLooking: boolean): void {
    this.isLooking = isLooking
  }

  onLearnerPacket(from: ServerId, packet: ReplicaPacket, at: Moment): void {
    this.received.push({ from, packet })
    if (packet.type !== PacketType.REQUEST) return
    if (this.service.kind === 'following') this.broadcaster?.sendToLeader(packet)
    else this.propose(decodeUtf8(packet.data), at)
  }

  onLeaderPacket(packet: ReplicaPacket): void {
    this.fromLeader.push(packet)
  }

  takeTouchedSessions(): Uint8Array {
    return encodeUtf8('touched')
  }

  propose(text: string, at: Moment): Zxid {
    assert(this.broadcaster !== null, 'no broadcaster')
    const zxid = this.broadcaster.nextZxid()
    this.#watcher.onPropose?.({ zxid, text }, this.service)
    this.broadcaster.propose(zxid, encodeUtf8(text), at)
    return zxid
  }

  /** What a server does with a local snapshot: all chunks, then the commit. */
  snapshotToDisk(out: EffectList, at: Moment): void {
    const source = this.beginSnapshot()
    const id = out.newSnapshotId(at)
    let index = 0
    for (let chunk = source.next(60_000); chunk !== null; chunk = source.next(60_000)) {
      out.push({ kind: 'snapshot-chunk', id, index: index++, bytes: chunk })
    }
    out.push({ kind: 'snapshot-commit', id, zxid: source.zxid, chunks: index, install: false })
  }
}

/** Long entries are about their length, not their text. */
function textOf(entry: Uint8Array): string {
  return decodeUtf8(entry.subarray(0, 64))
}

function snapshotOf(history: readonly Applied[], chunkBytes: number): SnapshotSource {
  const bytes = encodeUtf8(history.map(({ zxid, text }) => `${zxid} ${text}\n`).join(''))
  const zxid = history.at(-1)?.zxid ?? ZXID_NONE
  let offset = 0
  return {
    zxid,
    sizeBytes: bytes.length,
    next(maxBytes: number): Uint8Array | null {
      if (offset >= bytes.length) return null
      const chunk = bytes.slice(offset, offset + Math.min(chunkBytes, maxBytes))
      offset += chunk.length
      return chunk
    },
    cancel(): void {
      offset = bytes.length
    },
  }
}
