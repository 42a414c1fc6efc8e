/** What pages do: a pair of members without a link gets one, as long as something gets through. */
import type { Prng } from '../core/base/prng.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { VirtualNetwork } from './virtual-network.ts'
import type { VirtualTime } from './virtual-time.ts'

/** ms between two looks at who has no link. */
const LOOK_MS = 100
/** ms from asking for a link to having one. */
const DIAL_MS: readonly [number, number] = [5, 150]
/** Of the first ones: nothing is learnt from waiting for them. */
const FIRST_DIAL_MS: readonly [number, number] = [0.5, 4]
/** ms between the two sides' having it. */
const READY_MS: readonly [number, number] = [0, 5]

export class LinkDialer {
  readonly #time: VirtualTime
  readonly #network: VirtualNetwork
  readonly #prng: Prng
  readonly #members: readonly VirtualMember[]
  readonly #dialing = new Set<string>()

  constructor(
    time: VirtualTime,
    network: VirtualNetwork,
    prng: Prng,
    members: readonly VirtualMember[],
  ) {
    this.#time = time
    this.#network = network
    this.#prng = prng
    this.#members = members
  }

  start(): void {
    this.#look(FIRST_DIAL_MS)
    this.#lookLater()
  }

  #lookLater(): void {
    this.#time.after(LOOK_MS, () => {
      this.#look(DIAL_MS)
      this.#lookLater()
    })
  }

  #look(range: readonly [number, number]): void {
    for (const [index, a] of this.#members.entries()) {
      for (const b of this.#members.slice(index + 1)) {
        // Observers are linked to voters only.
        if (!(a.isObserver && b.isObserver) && !areLinked(a, b)) this.#dial(a, b, range)
      }
    }
  }

  #dial(a: VirtualMember, b: VirtualMember, range: readonly [number, number]): void {
    const key = `${a.number}-${b.number}`
    if (this.#dialing.has(key) || !this.#canMeet(a, b)) return
    this.#dialing.add(key)
    const lives = [a.process, b.process]
    this.#time.after(this.#network.within(range), () => {
      this.#dialing.delete(key)
      const isSame = a.process === lives[0] && b.process === lives[1]
      if (isSame && this.#canMeet(a, b) && !areLinked(a, b)) this.#connect(a, b)
    })
  }

  #canMeet(a: VirtualMember, b: VirtualMember): boolean {
    if (!a.process.isRunning || !b.process.isRunning) return false
    return this.#network.canMeet(a, b)
  }

  #connect(a: VirtualMember, b: VirtualMember): void {
    const [endA, endB] = this.#network.connect(a, b)
    for (const [self, peer, end] of [
      [a, b, endA],
      [b, a, endB],
    ] as const) {
      end.tellsOwnClose = true
      const { process } = self
      const readyMs = READY_MS[0] + this.#prng.next() * (READY_MS[1] - READY_MS[0])
      process.after(readyMs, () => {
        if (end.isOpen) self.attachLink(peer, end)
      })
    }
  }
}

function areLinked(a: VirtualMember, b: VirtualMember): boolean {
  return a.links.get(b)?.isOpen === true && b.links.get(a)?.isOpen === true
}
