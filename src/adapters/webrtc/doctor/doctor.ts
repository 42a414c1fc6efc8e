/**
 * The connection doctor: has every page of the room try its links and report, and finds out which
 * pair cannot connect and why. Each page is asked over its link or, sealed, by the broker, so pairs
 * between other pages are told too.
 *
 * Invariants: an examination settles within its limit or at its abort; a page examines itself once
 * at a time, whoever asks; nothing here changes what the mesh does but the moment of a retry.
 */

import type { PeerId } from '../../../ports/signaling.ts'
import { hasTurn, iceAddresses, type IceSettings } from '../ice-settings.ts'
import type { PeerMesh } from '../peer-mesh.ts'
import { diagnose } from './diagnosis.ts'
import {
  decodeDoctorMessage,
  encodeDoctorMessage,
  EXAMINE_LIMIT_MAX_MS,
  type DoctorMessage,
} from './doctor-message.ts'
import type { Finding } from './finding.ts'
import type { LinkFacts } from './link-facts.ts'
import { LINK_REPORTS_MAX, type LinkReport, type PageReport } from './page-report.ts'
import { gatherAlone } from './self-check.ts'

/** An attempt is given up after 10 s (CONNECT_TIMEOUT_MS); the rest is for the messages. */
export const EXAMINE_LIMIT_MS = 15_000
/** A page answers so long before the asker's limit. */
const ANSWER_MARGIN_MS = 1_500
/** The broker may lose a question; asked twice is no harm, as a page examines itself once. */
const ASK_AGAIN_MS = 2_000
/** How often a page looks whether its attempts are through. */
const LOOK_INTERVAL_MS = 200
/** A fresh report answers later questions too: nobody can keep a page gathering. */
const REPORT_FRESH_MS = 3_000
/** Pages asked, and pages answered: a room that is as full as the broker allows. */
const PAGES_MAX = 63

export interface DoctorOptions {
  readonly self: PeerId
  readonly mesh: Pick<PeerMesh, 'facts' | 'stats' | 'tryAll' | 'tell'>
  /** Pages that the broker lists, this one included. */
  readonly listed: () => readonly PeerId[]
  readonly isBrokerJoined: () => boolean
  readonly settings: IceSettings
  readonly build: string
  readonly isHidden: () => boolean
  /** What people call a page: `machine 2`; its server id when it is a voter. */
  readonly about: (peer: PeerId) => { readonly name: string; readonly sid: number | null }
  /** Since the member heard anything of it; null when it does not listen. */
  readonly silentMs: (peer: PeerId) => number | null
  readonly now: () => number
  /** For tests. */
  readonly gather?: typeof gatherAlone
}

export interface ExamineOptions {
  /** Default 15 s, at most 30 s. */
  readonly limitMs?: number
  readonly signal?: AbortSignal
  /** So many of so many pages have reported. */
  readonly onProgress?: (reported: number, asked: number) => void
}

export interface Examination {
  readonly findings: readonly Finding[]
  readonly reports: readonly PageReport[]
  readonly tookMs: number
}

interface Round {
  readonly asked: readonly PeerId[]
  readonly reports: Map<PeerId, PageReport>
  readonly onReport: () => void
}

export class Doctor {
  readonly #options: DoctorOptions
  readonly #rounds: Map<number, Round> = new Map()
  #nextId = 1
  #running: Promise<PageReport> | null = null
  #newest: { readonly report: PageReport; readonly atMs: number } | null = null
  /** Who waits for this page's report, and the number of their newest question. */
  readonly #askers: Map<PeerId, number> = new Map()

  constructor(options: DoctorOptions) {
    this.#options = options
  }

  /** Rejects only with the reason of an abort. */
  async examine(options: ExamineOptions = {}): Promise<Examination> {
    const { signal } = options
    signal?.throwIfAborted()
    const { self, now } = this.#options
    const startedMs = now()
    const limitMs = Math.min(options.limitMs ?? EXAMINE_LIMIT_MS, EXAMINE_LIMIT_MAX_MS)
    const asked = this.#others()
    const id = this.#nextId++
    const reports = new Map<PeerId, PageReport>()
    await new Promise<void>((resolve) => {
      const timers: ReturnType<typeof setTimeout>[] = []
      const settle = (): void => {
        for (const timer of timers) clearTimeout(timer)
        this.#rounds.delete(id)
        signal?.removeEventListener('abort', settle)
        resolve()
      }
      const onReport = (): void => {
        options.onProgress?.(reports.size, asked.length + 1)
        if (reports.size === asked.length + 1) settle()
      }
      this.#rounds.set(id, { asked, reports, onReport })
      const question = { kind: 'examine', id, limitMs: limitMs - ANSWER_MARGIN_MS } as const
      this.#ask(asked, question)
      const askAgain = (): void => {
        this.#ask(
          asked.filter((peer) => !reports.has(peer)),
          question,
        )
      }
      timers.push(setTimeout(askAgain, ASK_AGAIN_MS), setTimeout(settle, limitMs))
      signal?.addEventListener('abort', settle, { once: true })
      void this.#examineSelf(limitMs - ANSWER_MARGIN_MS).then((report) => {
        reports.set(self, report)
        onReport()
      })
    })
    signal?.throwIfAborted()
    const findings = diagnose({
      self,
      asked: [self, ...asked].map((peer) => ({
        peerId: peer,
        name: this.#options.about(peer).name,
      })),
      reports: [...reports.values()],
      isBrokerJoined: this.#options.isBrokerJoined(),
    })
    return { findings, reports: [...reports.values()], tookMs: now() - startedMs }
  }

  /** A message of another page's doctor. */
  receive(from: PeerId, bytes: Uint8Array): void {
    const message = decodeDoctorMessage(bytes)
    if (message === null) return
    if (message.kind === 'examine') this.#answer(from, message.id, message.limitMs)
    else this.#take(from, message.id, message.report)
  }

  #others(): PeerId[] {
    const { self, mesh, listed } = this.#options
    const linked = mesh.facts().filter((facts) => facts.state === 'connected')
    const peers = new Set([...listed(), ...linked.map((facts) => facts.peerId)])
    peers.delete(self)
    return [...peers].slice(0, PAGES_MAX)
  }

  #ask(peers: readonly PeerId[], question: DoctorMessage): void {
    const bytes = encodeDoctorMessage(question)
    for (const peer of peers) this.#options.mesh.tell(peer, bytes)
  }

  #take(from: PeerId, id: number, report: PageReport): void {
    const round = this.#rounds.get(id)
    // A page speaks for itself only, once, and only when it was asked.
    if (round === undefined || report.peerId !== from || !round.asked.includes(from)) return
    if (round.reports.has(from)) return
    round.reports.set(from, report)
    round.onReport()
  }

  #answer(from: PeerId, id: number, limitMs: number): void {
    const isWaiting = this.#askers.has(from)
    if (!isWaiting && this.#askers.size >= PAGES_MAX) return
    this.#askers.set(from, id)
    if (isWaiting) return
    void this.#examineSelf(limitMs).then((report) => {
      const newest = this.#askers.get(from) ?? id
      this.#askers.delete(from)
      const message = encodeDoctorMessage({ kind: 'report', id: newest, report })
      this.#options.mesh.tell(from, message)
    })
  }

  /** This page's side. Never rejects. */
  #examineSelf(limitMs: number): Promise<PageReport> {
    const { now } = this.#options
    const newest = this.#newest
    if (newest !== null && now() - newest.atMs < REPORT_FRESH_MS) {
      return Promise.resolve(newest.report)
    }
    this.#running ??= this.#tryAndReport(limitMs).then((report) => {
      this.#running = null
      this.#newest = { report, atMs: now() }
      return report
    })
    return this.#running
  }

  async #tryAndReport(limitMs: number): Promise<PageReport> {
    const { self, mesh, settings, gather = gatherAlone, build, isHidden, about } = this.#options
    mesh.tryAll()
    const [gathered] = await Promise.all([gather(settings), this.#attemptsEnd(limitMs)])
    const facts = mesh.facts().filter((one) => one.state !== 'absent')
    const links = await Promise.all(
      facts.slice(0, LINK_REPORTS_MAX).map((one) => this.#linkReport(one)),
    )
    const addresses = iceAddresses(settings)
    const turnServers = hasTurn(settings)
      ? addresses.filter((address) => /^turns?:/i.test(address)).length
      : 0
    return {
      peerId: self,
      ...about(self),
      build,
      isHidden: isHidden(),
      policy: settings.iceTransportPolicy,
      stunServers: addresses.length - turnServers,
      turnServers,
      gather: gathered,
      links,
      isCut: facts.length > links.length,
    }
  }

  /** Until every peer is connected or one attempt at it, begun or running by now, has ended. */
  async #attemptsEnd(limitMs: number): Promise<void> {
    const { mesh, now } = this.#options
    const startedMs = now()
    for (;;) {
      const elapsedMs = now() - startedMs
      const isOpen = (facts: LinkFacts): boolean =>
        facts.state !== 'connected' &&
        facts.state !== 'absent' &&
        (facts.lastEnd === null || facts.lastEnd.agoMs > elapsedMs) &&
        !(facts.state === 'waiting' && facts.reason !== null && facts.lastEnd === null)
      if (elapsedMs >= limitMs || !mesh.facts().some(isOpen)) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS))
    }
  }

  async #linkReport(facts: LinkFacts): Promise<LinkReport> {
    const { peerId, state, attempts, current, lastEnd } = facts
    const isConnected = state === 'connected'
    const stats = isConnected ? await this.#options.mesh.stats(peerId) : null
    // An attempt that has just begun says less than the one that has ended.
    const shown = isConnected ? current : (lastEnd ?? current)
    return {
      ...{ peerId, state, attempts },
      stage: shown?.stage ?? 'ice',
      ice: shown?.ice ?? null,
      reason: isConnected ? null : (facts.reason ?? lastEnd?.reason ?? null),
      silentMs: isConnected ? this.#options.silentMs(peerId) : null,
      roundTripMs: stats?.roundTripMs ?? null,
      localType: stats?.localType ?? null,
      remoteType: stats?.remoteType ?? null,
      protocol: stats?.protocol ?? null,
    }
  }
}
