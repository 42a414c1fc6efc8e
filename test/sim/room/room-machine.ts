/**
 * One machine of a room on virtual time: identity, founding rules and disk, driven as
 * src/runtime/room-member.ts does it, in the same order. Between every two of its steps it may die;
 * once the record gives it a seat, its page and the member of that seat live and die together.
 */
import type { Prng } from '../../../src/core/base/prng.ts'
import { ZXID_NONE } from '../../../src/core/base/zxid.ts'
import type { FoundingDecision, FoundingInput } from '../../../src/core/founding/founding-effect.ts'
import { parseFoundingRecord } from '../../../src/core/founding/founding-record.ts'
import type { SignedFoundingRecord } from '../../../src/core/founding/founding-record.ts'
import { FoundingRules, heldBy } from '../../../src/core/founding/founding-rules.ts'
import { creatorHash, incarnationOf } from '../../../src/core/founding/key-names.ts'
import { isRefused, newestToken, startChainCheck } from '../../../src/core/founding/start-chain.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { keyOf, modelSignature } from '../../core/founding/room-model.ts'
import { CrashPlan } from '../crash-plan.ts'
import { within } from '../draw.ts'
import type { SimHost } from '../sim-host.ts'
import type { RoomEnd, RoomHello, RoomPage } from './room-link.ts'
import type { RoomScene, Sitter } from './room-scene.ts'

export const ROOM = 'simulated room'
const CLUSTER_ID_BYTES = 16
const SESSION_KEY_BYTES = 32
/** ms of a signature, and of reading the storage before the member begins. */
const SIGN_MS: readonly [number, number] = [1, 8]
const RECOVER_MS: readonly [number, number] = [1, 10]
/** ms until a page that failed or died is opened again. */
const REOPEN_MS: readonly [number, number] = [80, 3000]

export class RoomMachine implements RoomPage, Sitter {
  readonly number: number
  readonly #scene: RoomScene
  readonly prng: Prng
  readonly crashPlan: CrashPlan = new CrashPlan()
  readonly ends = new Map<string, RoomEnd>()
  disk: MemoryDisk = new MemoryDisk()
  publicKey: Uint8Array
  rules: FoundingRules | null = null
  /** Whose seat it has. */
  host: SimHost | null = null
  life = 0
  /** Its next write is refused, as by a quota. */
  diskRefuses: (() => void) | null = null
  #identity = 1
  /** CLUSTER, once the page has put it into its address: a reload keeps it. */
  #address: string | null = null
  /** A write that is under way: it happens as a whole or not at all. */
  #write: (() => void) | null = null
  #isPaused = false
  #backlog: (() => void)[] = []

  constructor(scene: RoomScene, number: number) {
    this.#scene = scene
    this.number = number
    this.prng = scene.context.prng.fork(`machine ${number} of the room`)
    this.publicKey = keyOf(`machine ${number}.1`)
  }

  get name(): string {
    return `page ${this.number}`
  }

  get incarnation(): string {
    return incarnationOf(this.publicKey)
  }

  get isOpen(): boolean {
    return this.rules !== null
  }

  get isPaused(): boolean {
    return this.#isPaused || this.host?.isPaused === true
  }

  /** What its disk holds. */
  get founding(): Uint8Array | null {
    return this.disk.metaSync().founding
  }

  /** Its storage was wiped as a voter's: who comes back is nobody that the room knows. */
  get #isGone(): boolean {
    return this.host !== null && this.host.disk !== this.disk
  }

  // --- life and death ---------------------------------------------------------------------------

  open(): void {
    if (this.rules !== null || this.#isGone) return
    const { context, size, creatorName } = this.#scene
    this.life++
    this.#isPaused = false
    this.#backlog = []
    this.disk.claim(`p${this.number}l${this.life}`)
    const { founding } = this.disk.metaSync()
    const isCreator = this.number === 1 || context.planted.everyoneCreates === true
    context.say(this.name, () => `opens, life ${this.life}`)
    this.rules = new FoundingRules({
      room: ROOM,
      size,
      linkCreator: isCreator && this.#identity === 1 ? creatorHash(this.publicKey) : creatorName,
      linkCluster: this.prng.bool() ? this.#address : null,
      publicKey: this.publicKey,
      stored: founding === null ? null : parseFoundingRecord(founding),
      origin: ZXID_NONE,
      fresh: {
        clusterId: this.#random(CLUSTER_ID_BYTES),
        sessionKey: this.#random(SESSION_KEY_BYTES),
      },
    })
    this.#carryOut()
  }

  /** Its member goes as well. What was not durable is gone. */
  crash(reason: string, isNoticed: boolean): void {
    if (this.rules === null) return
    if (this.host?.isUp === true) {
      // Its end is this page's end, and who starts it again opens the page.
      this.host.crash(reason, isNoticed)
      return
    }
    this.#scene.context.say(this.name, () => `dies: ${reason}${isNoticed ? '' : ', unnoticed'}`)
    this.ended(isNoticed)
    const { life } = this
    this.#scene.context.timeline.after(within(this.prng, REOPEN_MS), () => {
      if (this.life === life) this.open()
    })
  }

  /** The process is gone. */
  ended(isNoticed: boolean): void {
    if (this.rules === null) return
    this.rules = null
    const write = this.#write
    this.#write = null
    if (write !== null && this.prng.bool()) write()
    this.#backlog = []
    this.#isPaused = false
    this.#scene.network.vanish(this, isNoticed)
  }

  /** Another storage, and with it another key. Its seat stays empty, if it has one. */
  wipe(): void {
    this.disk = new MemoryDisk()
    this.#identity++
    this.#address = null
    this.publicKey = keyOf(`machine ${this.number}.${this.#identity}`)
  }

  pause(): void {
    if (this.host?.isUp === true) this.host.pause(false)
    else this.#isPaused = true
  }

  thaw(): void {
    if (this.host?.isPaused === true) this.host.thaw()
    this.#isPaused = false
    this.caughtUp()
  }

  /** It runs again: what waited comes in its order. */
  caughtUp(): void {
    const backlog = this.#backlog
    this.#backlog = []
    const { life } = this
    for (const run of backlog) if (this.life === life && this.rules !== null) this.task(run)
  }

  task(run: () => void): void {
    if (this.rules === null) return
    if (this.isPaused) this.#backlog.push(run)
    else {
      try {
        run()
      } catch (error) {
        this.#scene.context.fail('NoException', `${this.name}: ${String(error)}`)
      }
    }
  }

  // --- what it hears ----------------------------------------------------------------------------

  get hello(): RoomHello {
    const { incarnation, publicKey } = this
    const { founding, startChain } = this.disk.metaSync()
    const holds = this.rules?.holds() ?? null
    return { incarnation, publicKey, founding: holds === null ? null : founding, startChain }
  }

  admits({ incarnation, publicKey, founding, startChain }: RoomHello): boolean {
    const seen = this.disk.metaSync().peerTokens[incarnation] ?? null
    if (isRefused(startChainCheck(seen, startChain))) return false
    const token = newestToken(startChain)
    if (token !== null) this.disk.rememberPeerTokenSync(incarnation, token)
    const held = founding === null ? null : parseFoundingRecord(founding)
    this.#step({ kind: 'candidate', publicKey, holds: held === null ? null : heldBy(held) })
    if (held !== null) this.#receive(incarnation, held)
    return true
  }

  received(from: string, envelope: Uint8Array): void {
    const signed = parseFoundingRecord(envelope)
    if (signed !== null) this.#receive(from, signed)
  }

  left(incarnation: string): void {
    this.#step({ kind: 'candidate-gone', incarnation })
  }

  #receive(from: string, signed: SignedFoundingRecord): void {
    const { body, record, signature } = signed
    const expected = modelSignature(record.creatorKey, body)
    const isGenuine = expected.every((byte, i) => byte === signature[i])
    if (isGenuine) this.#step({ kind: 'record', from, signed, signer: record.creatorKey })
  }

  // --- what it decides --------------------------------------------------------------------------

  #step(input: FoundingInput): void {
    if (this.rules === null) return
    this.#scene.context.digest.text(`${this.number} ${input.kind}`)
    this.rules.step(input)
    this.#carryOut()
  }

  #carryOut(): void {
    for (const decision of this.rules?.takeDecisions() ?? []) {
      if (this.#diesHere()) return
      this.#perform(decision)
    }
    this.#address = this.rules?.holds()?.cluster ?? this.#address
    this.#diesHere()
  }

  #perform(decision: FoundingDecision): void {
    const scene = this.#scene
    switch (decision.kind) {
      case 'sign':
        this.#later(SIGN_MS, () => {
          const signature = modelSignature(this.publicKey, decision.body)
          this.#step({ kind: 'signature', signature })
        })
        break
      case 'pin':
        this.#pin(decision.signed)
        break
      case 'send-record':
        this.#tellsSpread(decision.envelope)
        scene.network.send(this, decision.to, decision.envelope)
        break
      case 'start':
        scene.starts(this, decision.sid, decision.signed)
        break
      case 'refuse':
        scene.context.say(this.name, () => `refuses: ${decision.text}`)
        break
    }
  }

  #tellsSpread(envelope: Uint8Array): void {
    const { incarnation, founding: onDisk } = this
    this.#scene.context.probe.emit('spread', { incarnation, envelope, onDisk })
  }

  #pin(signed: SignedFoundingRecord): void {
    const { context } = this.#scene
    if (this.diskRefuses !== null) {
      this.diskRefuses()
      this.diskRefuses = null
      this.#later(SIGN_MS, () => this.crash('its disk refuses the record', true))
      return
    }
    const write = (): void => {
      this.disk.pinFoundingSync(signed.envelope, emptySnapshotChunk())
      context.digest.text(`${this.number} pinned`)
      this.#scene.pinned(this.incarnation, signed)
    }
    this.#write = write
    const { life } = this
    const isHasty = context.planted.pinsLater === true
    context.timeline.after(within(this.prng, context.draw.diskDelayMs), () => {
      if (this.life !== life || this.#write !== write) return
      // The platter has it, whatever the process does: a frozen one hears of it later.
      this.#write = null
      write()
      if (this.#diesHere() || isHasty) return
      this.#later([0, 2], () => this.#step({ kind: 'pinned' }))
    })
    if (isHasty) this.#later([0, 1], () => this.#step({ kind: 'pinned' }))
  }

  /** The member of its seat begins once its storage is read. */
  takes(host: SimHost): void {
    this.host = host
    if (host.disk !== this.disk) host.replaceDisk(this.disk)
    if (host.isUp) return
    this.#later(RECOVER_MS, () => {
      if (!host.isUp && !this.#diesHere()) host.start()
    })
  }

  #later(range: readonly [number, number], run: () => void): void {
    const { life } = this
    this.#scene.context.timeline.after(within(this.prng, range), () => {
      if (this.life === life) this.task(run)
    })
  }

  #diesHere(): boolean {
    if (this.rules === null) return true
    if (!this.crashPlan.hitsBoundary()) return false
    this.crash('between two steps of the founding', this.prng.bool())
    return true
  }

  #random(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.prng.int(256))
  }
}
