/** Three running members of memory, whose flights the tests take. */
import { gunzipSync } from 'node:zlib'
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { toServerId } from '../../../src/core/base/zxid.ts'
import type { MemberConfig } from '../../../src/core/server/member-machine.ts'
import { exportFlight } from '../../../src/runtime/flight/export-flight.ts'
import { readFlight, type FlightFile } from '../../../src/runtime/flight/flight-file.ts'
import type { Flight, FlightLimits } from '../../../src/runtime/flight/flight-recorder.ts'
import { Member } from '../../../src/runtime/member.ts'
import type { TestClient } from '../../core/server/test-client.ts'
import {
  clientOver,
  configOf,
  foundDisk,
  ManualTime,
  memoryPair,
  settle,
  WatchedStorage,
  type MemoryEnd,
} from '../bench.ts'

const SIDS = [1, 2, 3] as const

export class RecordedRoom {
  readonly time = new ManualTime()
  readonly members: Member[] = []
  readonly storages: WatchedStorage[] = []
  readonly #ends: { readonly a: number; readonly b: number; readonly ends: MemoryEnd[] }[] = []

  static async open(
    limits: FlightLimits = {},
    tuning: Partial<MemberConfig> = {},
  ): Promise<RecordedRoom> {
    const room = new RecordedRoom()
    for (const sid of SIDS) {
      const storage = new WatchedStorage(foundDisk(new MemoryDisk()), { token: `life ${sid}` })
      room.storages.push(storage)
      room.members.push(
        new Member({
          config: { ...configOf(sid, SIDS.length), ...tuning },
          storage,
          recovered: await storage.recover(),
          clock: room.time,
          every: room.time.every,
          flightLimits: limits,
        }),
      )
    }
    room.join(1, 2)
    room.join(1, 3)
    room.join(2, 3)
    await room.untilServing(...SIDS)
    return room
  }

  member(sid: number): Member {
    const member = this.members[sid - 1]
    if (member === undefined) throw new Error(`machine ${sid}`)
    return member
  }

  get leader(): number {
    const at = this.members.findIndex((member) => member.status().role === 'leading')
    return at + 1
  }

  join(a: number, b: number): void {
    const ends = memoryPair()
    this.#ends.push({ a, b, ends })
    this.member(a).attachLink(toServerId(b), ends[0])
    this.member(b).attachLink(toServerId(a), ends[1])
  }

  /** Its links stay open and mute. */
  isolate(sid: number): void {
    for (const { a, b, ends } of this.#ends) {
      if (a === sid || b === sid) for (const end of ends) end.isDead = true
    }
  }

  async rejoin(sid: number): Promise<void> {
    for (const other of SIDS) if (other !== sid) this.join(sid, other)
    await this.untilServing(...SIDS)
  }

  async untilServing(...sids: readonly number[]): Promise<void> {
    await this.time.until(
      `${sids.join()} serve`,
      () => {
        const statuses = sids.map((sid) => this.member(sid).status())
        const leaders = new Set(statuses.map(({ leader }) => leader))
        return statuses.every(({ serving }) => serving) && leaders.size === 1
      },
      20_000,
    )
  }

  /** It is alone and knows it, and the other two serve without it. */
  async untilDeposed(sid: number): Promise<void> {
    await this.time.until('the others serve', () => {
      if (this.member(sid).status().serving) return false
      return SIDS.filter((one) => one !== sid).every((one) => {
        const { serving, leader } = this.member(one).status()
        return serving && leader !== sid
      })
    })
  }

  leaderBut(sid: number): number {
    const others = SIDS.filter((one) => one !== sid)
    return others.find((one) => this.member(one).status().role === 'leading') ?? 0
  }

  async client(sid: number): Promise<TestClient> {
    const client = clientOver((channel) => this.member(sid).attachClient(channel, 'test'))
    client.connect()
    await this.time.until('a session', () => client.session !== 0n)
    return client
  }

  /** Comes back with the session of a client that is gone. */
  async resumed(sid: number, from: TestClient, passwd?: Uint8Array): Promise<TestClient> {
    const client = clientOver((channel) => this.member(sid).attachClient(channel, 'test'))
    client.resume(from, passwd === undefined ? {} : { passwd })
    await this.time.until('an answer', () => client.connected !== null)
    return client
  }
}

export function recordingOf(member: Member): Flight {
  const flight = member.flight()
  if (flight === null) throw new Error('a member that records nothing')
  return flight
}

export async function exported(member: Member, payloads = true): Promise<Uint8Array> {
  const file = await exportFlight(recordingOf(member), {
    payloads,
    salt: crypto.getRandomValues(new Uint8Array(16)),
    pause: settle,
  })
  return new Uint8Array(gunzipSync(file))
}

export async function flightOf(member: Member, payloads = true): Promise<FlightFile> {
  return readFlight(await exported(member, payloads))
}
