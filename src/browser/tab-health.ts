/** Joins what the worker, the page's connections, the storage and the broker tell of one tab. */
import type { WorkerStatus } from '../../worker/protocol.ts'
import { readPersistence, type StoragePersistence } from '../adapters/tabs/persistence.ts'
import type { Doctor, Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import type { LinkFacts } from '../adapters/webrtc/doctor/link-facts.ts'
import type { PairStats } from '../adapters/webrtc/doctor/pair-stats.ts'
import { iceAddresses, type IceSettings } from '../adapters/webrtc/ice-settings.ts'
import type { PeerMesh } from '../adapters/webrtc/peer-mesh.ts'
import type { PeerId, Signaling } from '../ports/signaling.ts'
import {
  shortAddress,
  type Explanation,
  type LinkExplanation,
  type MachineExplanation,
} from './explanation.ts'
import { whyOf, type ClientView } from './why.ts'

export interface TabHealthOptions {
  readonly mesh: PeerMesh
  readonly signaling: Signaling
  readonly settings: IceSettings
  readonly build: string
  /** Of the tab's own machine; null in a tab that is a client only. */
  readonly status: () => WorkerStatus | null
  /** How such a tab is. */
  readonly client?: () => ClientView
  /** Voter at this page, where no machine of this tab knows it. */
  readonly sidOf?: (peer: PeerId) => number | null
  /** Wall clock when a machine was first seen away, so that the time told does not move. */
  readonly awaySinceMs: ReadonlyMap<number, number>
}

export interface ExplainOptions {
  /** Addresses of candidates in full; shortened by default. */
  readonly fullAddresses?: boolean
}

/** Statistics and storage are asked anew only so often, whoever asks how often. */
const ASK_AGAIN_MS = 1_000
/** Links whose statistics are asked for. Ours: each is a walk over the browser's counters. */
const STATS_MAX = 32
const NAME_LENGTH = 6

interface Asked {
  readonly atMs: number
  readonly storage: StoragePersistence
  readonly stats: ReadonlyMap<PeerId, PairStats | null>
}

export class TabHealth {
  readonly #options: TabHealthOptions
  /** Loaded when it is needed: most pages never see it. */
  #doctor: Promise<Doctor> | null = null
  #asking: Promise<Asked> | null = null
  #asked: Asked | null = null

  constructor(options: TabHealthOptions) {
    this.#options = options
  }

  onDoctor(from: PeerId, message: Uint8Array): void {
    // A page that cannot load it any more is as good as silent: the asker says so.
    this.#loadDoctor().then(
      (doctor) => doctor.receive(from, message),
      () => {},
    )
  }

  async examine(options?: ExamineOptions): Promise<Examination> {
    const doctor = await this.#loadDoctor()
    return doctor.examine(options)
  }

  async explain(options: ExplainOptions = {}): Promise<Explanation> {
    const { mesh, signaling, settings, build, status: statusNow } = this.#options
    const { storage: persistence, stats } = await this.#ask()
    const status = statusNow()
    const machines = this.#machines(status)
    const isFull = options.fullAddresses === true
    const links = mesh
      .facts()
      .filter((facts) => facts.state !== 'absent')
      .map((facts) => this.#link(facts, stats.get(facts.peerId) ?? null, isFull))
    const storage = {
      ...persistence,
      durability: status === null ? null : ('strict' as const),
      disk: status?.disk ?? null,
    }
    const broker = brokerOf(signaling)
    return {
      at: new Date().toISOString(),
      build,
      browser: navigator.userAgent,
      isHidden: document.visibilityState === 'hidden',
      reasons: whyOf({
        ...{ status, machines, links, storage },
        client: this.#options.client?.() ?? null,
        signaling: broker,
        timeOf: (iso) => new Date(iso).toLocaleTimeString(),
      }),
      member: memberOf(status, machines),
      machines,
      links,
      storage,
      signaling: broker,
      ice: { servers: iceAddresses(settings), policy: settings.iceTransportPolicy },
    }
  }

  #loadDoctor(): Promise<Doctor> {
    const { mesh, signaling, settings, build } = this.#options
    this.#doctor ??= import('../adapters/webrtc/doctor/doctor.ts').then(
      ({ Doctor: Loaded }) =>
        new Loaded({
          ...{ mesh, settings, build },
          self: signaling.peer,
          listed: () => signaling.peers.map((one) => one.peer),
          isBrokerJoined: () => signaling.state.kind === 'joined',
          isHidden: () => document.visibilityState === 'hidden',
          about: (peer) => this.#about(peer),
          silentMs: (peer) => this.#silentMs(this.#about(peer).sid),
          now: () => performance.now(),
        }),
      (error: unknown) => {
        // The next one who asks may have more luck.
        this.#doctor = null
        throw error
      },
    )
    return this.#doctor
  }

  #ask(): Promise<Asked> {
    const asked = this.#asked
    const isFresh = asked !== null && performance.now() - asked.atMs < ASK_AGAIN_MS
    if (isFresh && this.#connected().every((peer) => asked.stats.has(peer))) {
      return Promise.resolve(asked)
    }
    this.#asking ??= this.#askAll().then((fresh) => {
      this.#asking = null
      this.#asked = fresh
      return fresh
    })
    return this.#asking
  }

  async #askAll(): Promise<Asked> {
    const { mesh } = this.#options
    const [storage, ...stats] = await Promise.all([
      readPersistence(),
      ...this.#connected().map(async (peer) => [peer, await mesh.stats(peer)] as const),
    ])
    return { atMs: performance.now(), storage, stats: new Map(stats) }
  }

  #connected(): PeerId[] {
    const facts = this.#options.mesh.facts().filter((one) => one.state === 'connected')
    return facts.slice(0, STATS_MAX).map((one) => one.peerId)
  }

  #about(peer: PeerId): { readonly name: string; readonly sid: number | null } {
    const status = this.#options.status()
    const isSelf = peer === this.#options.signaling.peer
    const known = status?.peers.find((one) => one.peerId === peer)
    const sidOfOther = known?.sid ?? this.#options.sidOf?.(peer) ?? null
    const sid = isSelf ? (status?.sid ?? null) : sidOfOther
    return { name: sid === null ? `page ${peer.slice(0, NAME_LENGTH)}` : `machine ${sid}`, sid }
  }

  #silentMs(sid: number | null): number | null {
    const peers = this.#options.status()?.member?.peers ?? []
    return peers.find((peer) => peer.sid === sid)?.silentMs ?? null
  }

  #machines(status: WorkerStatus | null): MachineExplanation[] {
    const member = status?.member ?? null
    if (status === null || member === null) return []
    return status.voters.map((sid) => {
      const isThisTab = sid === status.sid
      const peer = member.peers.find((one) => one.sid === sid)
      const isUp = isThisTab || peer?.up === true
      const awaySinceMs = this.#options.awaySinceMs.get(sid)
      return {
        ...{ sid, isThisTab, isUp },
        isLeader: sid === member.leader,
        awaySince: isUp || awaySinceMs === undefined ? null : new Date(awaySinceMs).toISOString(),
        silentMs: peer?.silentMs ?? null,
        roundTripMs: peer?.rttMs ?? null,
      }
    })
  }

  #link(facts: LinkFacts, stats: PairStats | null, isFull: boolean): LinkExplanation {
    const { peerId, state, attempts, upForMs, current, lastEnd } = facts
    const { name, sid } = this.#about(peerId)
    const shown = isFull ? (address: string | null) => address : shortAddress
    const ice = current?.ice ?? lastEnd?.ice ?? null
    return {
      ...{ peerId, name, sid, state, attempts, upForMs },
      iceState: ice?.state ?? null,
      stage: current?.stage ?? null,
      carrier: current?.carrier ?? null,
      localCandidate: stats?.localType ?? null,
      remoteCandidate: stats?.remoteType ?? null,
      protocol: stats?.protocol ?? null,
      relayProtocol: stats?.relayProtocol ?? null,
      localAddress: shown(stats?.localAddress ?? null),
      remoteAddress: shown(stats?.remoteAddress ?? null),
      roundTripMs: stats?.roundTripMs ?? null,
      silentMs: this.#silentMs(sid) ?? stats?.lastReceivedMsAgo ?? null,
      lastEnd:
        lastEnd === null
          ? null
          : { reason: lastEnd.reason, agoMs: lastEnd.agoMs, stage: lastEnd.stage },
      candidates: ice === null ? null : { local: ice.local, remote: ice.remote },
      errors: ice?.errors ?? [],
    }
  }
}

function brokerOf({ state, peers }: Signaling): Explanation['signaling'] {
  return {
    state: state.kind,
    reason: 'reason' in state ? state.reason : null,
    retryInMs: state.kind === 'waiting' ? state.retryInMs : null,
    pages: peers.length,
  }
}

function memberOf(
  status: WorkerStatus | null,
  machines: readonly MachineExplanation[],
): Explanation['member'] {
  const member = status?.member ?? null
  const here = machines.filter((machine) => machine.isUp).length
  return {
    phase: status?.phase ?? 'client',
    text: status?.text ?? '',
    sid: status?.sid ?? null,
    role: member?.role ?? null,
    epoch: member?.epoch ?? null,
    leader: member?.leader ?? null,
    zxid: member?.zxid ?? null,
    isServing: member?.serving ?? false,
    whyNotServing: member?.whyNotServing ?? null,
    quorum:
      member === null
        ? null
        : {
            needed: member.quorum.needed,
            voters: member.quorum.voters,
            here,
            isReachable: member.quorum.reachable,
          },
  }
}
