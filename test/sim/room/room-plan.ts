/**
 * An ensemble that is not there yet: pages meet in a room, found it by the real rules of
 * src/core/founding, and take the seats of the voters. One page made the room's link, so it alone
 * may write the record; some more come than there are seats. While they meet they are hurt by
 * faults of their own, since those of the world begin when an ensemble should be there.
 */
import type { ServerId } from '../../../src/core/base/zxid.ts'
import type { SignedFoundingRecord } from '../../../src/core/founding/founding-record.ts'
import { memberOf } from '../../../src/core/founding/founding-record.ts'
import { creatorHash } from '../../../src/core/founding/key-names.ts'
import type { SimContext } from '../sim-context.ts'
import type { SimHost } from '../sim-host.ts'
import { RoomFaults } from './room-faults.ts'
import { RoomMachine } from './room-machine.ts'
import { RoomNetwork } from './room-network.ts'
import type { RoomScene, Sitter } from './room-scene.ts'

/** How often the pages look for missing links, ms. */
const DIAL_INTERVAL_MS = 100

export class RoomPlan implements RoomScene {
  readonly context: SimContext
  readonly machines: readonly RoomMachine[]
  readonly network: RoomNetwork
  readonly size: number
  /** CREATOR of the link. */
  readonly creatorName: string
  /** The first record that was on a disk. */
  founded: SignedFoundingRecord | null = null
  readonly #voters: readonly SimHost[]
  readonly #faults: RoomFaults
  /** Every machine that is there has the record, and every seat that can be taken is taken. */
  #isOver = false

  constructor(context: SimContext, voters: readonly SimHost[]) {
    this.context = context
    this.#voters = voters
    this.size = voters.length
    const count = Math.max(this.size, context.draw.pages)
    this.machines = Array.from({ length: count }, (_, i) => new RoomMachine(this, i + 1))
    const [creator] = this.machines
    this.creatorName = creator === undefined ? '' : creatorHash(creator.publicKey)
    this.network = new RoomNetwork(context, this.machines)
    this.#faults = new RoomFaults(context, this.network, this.machines, this.size)
    context.probe.on('started', ({ host }) => this.#seatOf(host)?.open())
    context.probe.on('stopped', ({ host }) => this.#seatOf(host)?.ended(true))
    context.probe.on('thawed', ({ host }) => this.#seatOf(host)?.caughtUp())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Nothing there may be lost yet: the record may be on one disk alone. */
  get isFounding(): boolean {
    return !this.#isOver
  }

  start(): void {
    const { timeline, draw } = this.context
    for (const machine of this.machines) {
      timeline.after(machine.prng.next() * draw.foundingMs, () => {
        machine.open()
      })
    }
    this.#faults.start()
    this.#dial()
  }

  /** Faults end, and who is not there comes. */
  heal(): void {
    this.#faults.end()
    this.network.heal()
    for (const machine of this.machines) {
      machine.crashPlan.disarm()
      machine.diskRefuses = null
      if (machine.isPaused) machine.thaw()
      if (!machine.isOpen) {
        this.context.timeline.after(machine.prng.next() * 1000, () => machine.open())
      }
    }
  }

  /** May the world start this voter's process? Not before it has a machine. */
  isSeated(host: SimHost): boolean {
    return this.#seatOf(host) !== undefined
  }

  /** What is still missing, in words. */
  whatIsMissing(): string | null {
    if (this.#isOver) return null
    const without = this.machines.find(({ founding }) => founding === null)
    return without === undefined ? 'not every seat is taken' : `${without.name} has no record`
  }

  // --- told by the machines ---------------------------------------------------------------------

  pinned(incarnation: string, signed: SignedFoundingRecord): void {
    this.founded ??= signed
    this.context.probe.emit('pinned', { incarnation, signed })
    this.context.say('room', () => `${incarnation.slice(0, 8)} has the record on disk`)
    this.#look()
  }

  starts(sitter: Sitter, sid: ServerId | null, signed: SignedFoundingRecord): void {
    const seat = sid ?? (this.context.planted.takesFreeSeat === true ? this.#freeSeat() : null)
    const { incarnation, publicKey, founding } = sitter
    this.context.say(sitter.name, () => `is ${seat === null ? 'a client' : `member ${seat}`}`)
    if (seat === null) return
    const host = this.#voters.find((each) => each.sid === seat)
    if (host === undefined) {
      this.context.fail('SeatIsTheKeys', `member ${seat} of ${this.size}`)
      return
    }
    this.context.probe.emit('seated', {
      sid: seat,
      incarnation,
      publicKey,
      signed,
      onDisk: founding,
    })
    sitter.takes(host)
    this.#look()
  }

  // --- the end ----------------------------------------------------------------------------------

  #look(): void {
    const { founded } = this
    if (this.#isOver || founded === null) return
    if (this.machines.some(({ founding }) => founding === null)) return
    const keys = this.machines.map(({ publicKey }) => publicKey)
    const present = keys.filter((key) => memberOf(founded.record, key) !== null)
    const seated = this.machines.filter(({ host }) => host !== null)
    if (seated.length < present.length) return
    this.#isOver = true
    this.#faults.end()
    this.network.closeAll()
    this.context.say('room', () => 'the founding is complete')
    for (const host of this.#voters) {
      // Wiped between being listed and hearing of it: a voter that will never come.
      if (!this.isSeated(host)) this.context.probe.emit('lost', { host })
    }
  }

  #dial(): void {
    this.context.timeline.after(DIAL_INTERVAL_MS, () => {
      if (this.#isOver) return
      this.network.dialMissing()
      this.#dial()
    })
  }

  #seatOf({ sid }: { readonly sid: ServerId }): RoomMachine | undefined {
    return this.machines.find(({ host }) => host?.sid === sid)
  }

  #freeSeat(): ServerId | null {
    return this.#voters.find((host) => !this.isSeated(host))?.sid ?? null
  }
}
