/** The history of an ensemble in its tabs, as the judges want it. */
import { fromBase64 } from '../core/base/bytes.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { ClientRecorder } from '../history/client-recorder.ts'
import {
  type RecordedEvent,
  type RecordedFault,
  type RecordedMember,
  type RecordedRole,
  type Recording,
  RECORDING_FORMAT,
} from '../history/recording.ts'
import type { RecordedTree } from '../history/recorded-tree.ts'
import { roleOfTrace } from '../history/traced-role.ts'
import type { Member } from './member.ts'
import { MemberLog } from './member-log.ts'
import type { PageLine } from './page-line.ts'
import type { FrameNews } from './page/page-news.ts'

/**
 * Pages of one computer read one clock, each as of its own start (performance.timeOrigin), and
 * Chromium blurs it by fractions of a ms. Ours: an order above.
 */
const CLOCK_UNCERTAINTY_MS = 5

interface Fault {
  readonly atMs: number
  readonly what: string
  readonly sids: readonly number[]
  untilMs?: number
}

export class EnsembleRecording {
  #events: RecordedEvent[] = []
  #faults: Fault[] = []
  readonly #downs: RecordedRole[] = []
  readonly #recorders = new Map<PageLine, Map<number, ClientRecorder>>()
  readonly #log = new MemberLog()
  readonly #open = new Set<ClientRecorder>()
  #before: RecordedTree | null = null
  #beganAtMs = 0
  #clients = 0
  #answers = 0

  /** Calls that were answered, not refused. */
  get answers(): number {
    return this.#answers
  }

  get events(): readonly RecordedEvent[] {
    return this.#events
  }

  onFrame(line: PageLine, news: FrameNews): void {
    const recorder = this.#recorderOf(line, news.client)
    switch (news.kind) {
      case 'opened':
        this.#open.add(recorder)
        return recorder.opened(news.server)
      case 'closed':
        this.#open.delete(recorder)
        return recorder.closed(news.reason, news.atMs)
      case 'sent':
        return recorder.sent(fromBase64(news.base64) ?? NOTHING, news.atMs)
      case 'received':
        return recorder.received(fromBase64(news.base64) ?? NOTHING, news.atMs)
    }
  }

  /** Numbers of handles begin anew with the next life of the page. */
  onLifeEnded(line: PageLine): void {
    for (const recorder of this.#recorders.get(line)?.values() ?? []) {
      this.#open.delete(recorder)
      recorder.closed('the page is gone', Date.now())
    }
    this.#recorders.delete(line)
  }

  /** For the report. The result says that it is over. */
  fault(what: string, members: readonly Member[]): () => void {
    const fault: Fault = { atMs: Date.now(), what, sids: members.map(({ number }) => number) }
    this.#faults.push(fault)
    return () => {
      fault.untilMs ??= Date.now()
    }
  }

  down({ number }: Member): void {
    this.#downs.push({ atMs: Date.now(), sid: number, role: 'down' })
  }

  async collectLog(members: readonly Member[]): Promise<void> {
    await this.#log.collect(members)
  }

  /**
   * In the very task in which nothing is under way: then the log of a member is the log of all.
   * While it is read a session may expire, and members hear of that one after another.
   */
  async finish(title: string, members: readonly Member[]): Promise<Recording> {
    const stands = standsOf(members)
    const found = await this.#log.collect(members)
    const log = found === 'whole' ? this.#log.entries : null
    return { ...this.#recording(title, members, log), members: stands }
  }

  /** When nothing is under way and no handle is open. */
  beginPart(before: RecordedTree): void {
    if (this.#open.size > 0) throw new Error(`${this.#open.size} handles are still connected`)
    this.#before = before
    this.#beganAtMs = Date.now()
    this.#events = []
    this.#faults = []
    this.#log.forget()
    this.#recorders.clear()
  }

  /** What there is so far, for the report of a test that failed: members need not be alike. */
  soFar(title: string, members: readonly Member[]): Recording {
    return this.#recording(title, members, null)
  }

  #recording(
    title: string,
    members: readonly Member[],
    log: readonly Uint8Array[] | null,
  ): Recording {
    const roles = [...members.flatMap((member) => rolesOf(member)), ...this.#downs]
    return {
      format: RECORDING_FORMAT,
      title,
      clockUncertaintyMs: CLOCK_UNCERTAINTY_MS,
      events: settled(this.#events),
      log,
      ...(this.#before === null ? {} : { before: this.#before }),
      roles: since(
        this.#beganAtMs,
        roles.sort((a, b) => a.atMs - b.atMs),
      ),
      faults: this.#faults satisfies readonly RecordedFault[],
      members: [],
    }
  }

  #recorderOf(line: PageLine, client: number): ClientRecorder {
    const ofLine = this.#recorders.get(line) ?? new Map<number, ClientRecorder>()
    this.#recorders.set(line, ofLine)
    const known = ofLine.get(client)
    if (known !== undefined) return known
    const made = new ClientRecorder(++this.#clients, (event) => {
      this.#events.push(event)
      if (event.kind === 'answer' && event.outcome.err === ErrorCode.OK) this.#answers++
    })
    ofLine.set(client, made)
    return made
  }
}

/** What still waits for its answer may have happened or not. */
function settled(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const waiting = new Map<string, Extract<RecordedEvent, { kind: 'call' }>>()
  for (const event of events) {
    if (event.kind !== 'call' && event.kind !== 'answer' && event.kind !== 'lost') continue
    const key = `${event.client}/${event.session}/${event.xid}`
    if (event.kind === 'call') waiting.set(key, event)
    else waiting.delete(key)
  }
  const atMs = Date.now()
  const lost = [...waiting.values()].map(({ client, session, xid }): RecordedEvent => {
    return { kind: 'lost', client, session, xid, atMs }
  })
  return [...events, ...lost]
}

const NOTHING = new Uint8Array(0)

function rolesOf({ number, traces }: Member): readonly RecordedRole[] {
  return traces.flatMap((trace) => roleOfTrace(number, trace.at, trace) ?? [])
}

/** Of what was before, the last of each member: it holds until the next. */
function since(fromMs: number, roles: readonly RecordedRole[]): readonly RecordedRole[] {
  const before = new Map<number, RecordedRole>()
  for (const role of roles) {
    if (role.atMs < fromMs) before.set(role.sid, { ...role, atMs: fromMs })
  }
  return [...before.values(), ...roles.filter(({ atMs }) => atMs >= fromMs)]
}

function standsOf(members: readonly Member[]): readonly RecordedMember[] {
  return members.flatMap(({ isUp, number, status }) => {
    const { zxid, treeDigest } = status?.member ?? {}
    if (!isUp || zxid === undefined || treeDigest === undefined) return []
    const digest = treeDigest === null ? null : fromHex(treeDigest)
    return [{ sid: number, zxid: fromHex(zxid), digest }]
  })
}

function fromHex(text: string): bigint {
  return BigInt(text.startsWith('0x') ? text : `0x${text}`)
}
