import type { OpenedIdentity } from '../src/adapters/tabs/identity-lock.ts'
import type { LaneClock } from '../src/faults/faulty-lane.ts'
import { FaultyLinks } from '../src/faults/faulty-links.ts'
import { FaultyStorage } from '../src/faults/faulty-storage.ts'
import {
  MUTE,
  NO_FAULTS,
  type FaultControl,
  type MemberFaults,
} from '../src/faults/member-faults.ts'
import type { Link } from '../src/ports/link.ts'
import { MemberWorker } from './member-worker.ts'
import type { AdmittedPeer, ChannelLabel, WorkerListener } from './protocol.ts'

/** Faults sit between the machine and its ports; the machine is the one of production. */
export class FaultyMemberWorker extends MemberWorker {
  /** Over a port of its own (FAULT_PORT). */
  readonly control: FaultControl = {
    set: async (faults) => this.#set(faults),
    refresh: async () => this.#listener?.onStatus(await this.status()),
  }
  readonly #clock: LaneClock
  readonly #links: FaultyLinks
  #listener: WorkerListener | null = null
  #storage: FaultyStorage | null = null
  #faults: MemberFaults = NO_FAULTS

  constructor(clock: LaneClock) {
    super()
    this.#clock = clock
    this.#links = new FaultyLinks(clock)
  }

  /** Until somebody has said what it suffers it hears nobody: it may be cut off. */
  expectFaults(seed: string): void {
    this.#links.seed(seed)
    this.#set(MUTE)
  }

  override subscribe(listener: WorkerListener): Promise<void> {
    this.#listener = listener
    return super.subscribe({
      onStatus: (status) => listener.onStatus(status),
      onTrace: (event, atMs) => listener.onTrace(event, atMs),
      onReplaceLink: (linkId, reason) => listener.onReplaceLink(linkId, reason),
      onRefuseLink: (linkId, reason) => listener.onRefuseLink(linkId, reason),
      onPageMessage: (linkId, bytes) => {
        if (!this.#links.isCut(linkId, ['outbound'])) listener.onPageMessage(linkId, bytes)
      },
    })
  }

  override async pageMessage(linkId: string, bytes: Uint8Array): Promise<void> {
    if (!this.#links.isCut(linkId, ['inbound'])) await super.pageMessage(linkId, bytes)
  }

  /** Where a connection was cut none comes about: its handshake gets no answer. */
  override async admit(linkId: string, peer: AdmittedPeer): Promise<string | null> {
    this.#links.name(linkId, peer.incarnation)
    await this.#links.passable(linkId)
    return super.admit(linkId, peer)
  }

  override async detach(linkId: string, reason: string): Promise<void> {
    this.#links.forget(linkId)
    await super.detach(linkId, reason)
  }

  protected override linkOf(linkId: string, link: Link, label: ChannelLabel): Link {
    return this.#links.wrap(linkId, link, { isCounted: label === 'quorum' })
  }

  protected override identityOf(opened: OpenedIdentity): OpenedIdentity {
    const storage = new FaultyStorage(opened.storage, this.#clock)
    this.#storage = storage
    storage.set(this.#faults.storage)
    return { ...opened, storage }
  }

  #set(faults: MemberFaults): void {
    if (faults.turn < this.#faults.turn) return
    this.#faults = faults
    this.#links.set(faults.links)
    this.#storage?.set(faults.storage)
  }
}
