/**
 * A room of real tabs under test: opens them, hurts them, waits for what they become. The words are
 * those of `zabra/testing`; a member goes by its server id or by itself.
 */
import type { Page } from 'playwright/test'
import {
  type LiveStorageFault,
  NO_STORAGE_FAULT,
  type StorageRule,
} from '../faults/faulty-storage.ts'
import type { MemberFaults } from '../faults/member-faults.ts'
import type { Delay, EnsembleFaults } from '../testing/ensemble-faults.ts'
import type { BrowserProcess } from './browser-process.ts'
import type { RecordedTree } from '../history/recorded-tree.ts'
import type { Recording } from '../history/recording.ts'
import { EnsembleLinks } from './ensemble-links.ts'
import { EnsembleRecording } from './ensemble-recording.ts'
import { electLeader } from './force-leader.ts'
import type { KitListener } from './kit-context.ts'
import { BLANK_PATH } from './kit-files.ts'
import { Member } from './member.ts'
import { inKit } from './page-call.ts'
import { PATIENCE_MS, type PageLine, waitUntil, type WaitOptions } from './page-line.ts'
import { TabClient, type TabClientOptions } from './tab-client.ts'
import type { TabHome } from './tab-home.ts'
import { whatIsNotQuiet, whatIsNotWhole } from './quiet.ts'

/** By its server id, or itself. */
export type MemberRef = number | Member

/**
 * No room, no connection any more, no answer, slow answers; or at rest: a log whose end was torn
 * off, a storage that does not open because somebody does not let go of it.
 */
export type KitStorageFault = LiveStorageFault | 'torn' | 'blocked'

const BLANK_PAGE = { contentType: 'text/html', body: '<!doctype html><title>blank</title>' }
/** Each write of a `slow` storage takes so long. */
const SLOW_WRITE_MS = 300
/** As long as a transaction may take in production (indexeddb/connection.ts). */
const HANG_LIMIT_MS = 15_000

export interface StorageFaultOptions {
  /** How long each write of a `slow` storage takes. Default 300 ms. */
  readonly slowMs?: number
  /** When a storage that `hangs` is given up. Default 15 s, as in production. */
  readonly limitMs?: number
}

export interface EnsembleOptions {
  /** What all tabs open, or what the first one opens: the others open the link of its room. */
  readonly url: string
  /** One for all tabs, or one for each. */
  readonly browsers: readonly BrowserProcess[]
  readonly voters: number
  readonly observers: number
  /** Of what is drawn: which messages are lost, how long they take. */
  readonly seed: string
}

export class Ensemble implements EnsembleFaults<MemberRef> {
  readonly browsers: readonly BrowserProcess[]
  readonly seed: string
  readonly #members: Member[] = []
  readonly #links = new EnsembleLinks()
  readonly #storages = new Map<Member, StorageRule>()
  /** Pages that hold the storage of a member. */
  readonly #holders = new Map<Member, Page>()
  readonly #stands = new Map<Member, () => void>()
  readonly #recording = new EnsembleRecording()
  #faultsEnd: (() => void)[] = []
  #faultTurn = 0

  private constructor({ browsers, seed }: EnsembleOptions) {
    this.browsers = browsers
    this.seed = seed
    const listener: KitListener = {
      faultsOf: (line) => this.#faultsOf(line),
      onFrame: (line, news) => this.#recording.onFrame(line, news),
      onLifeEnded: (line) => this.#recording.onLifeEnded(line),
    }
    for (const browser of browsers) browser.listener = listener
  }

  /** Resolves when all tabs are members, linked with one another, and serve. */
  static async open(options: EnsembleOptions): Promise<Ensemble> {
    const { url, voters, observers } = options
    const ensemble = new Ensemble(options)
    const first = await ensemble.#open(0, url)
    const link = isLinkOfRoom(url) ? url : await linkOf(first)
    const others = Array.from({ length: voters - 1 }, (_, i) => ensemble.#open(i + 1, link))
    await Promise.all(others)
    await ensemble.waitForWhole()
    for (let i = 0; i < observers; i++) await ensemble.add(ensemble.#browserOf(voters + i))
    await ensemble.waitForWhole()
    return ensemble
  }

  /** By server id, the dead ones too. */
  get members(): readonly Member[] {
    return this.#members.toSorted((a, b) => a.number - b.number)
  }

  /** Those whose tabs are open. */
  get alive(): readonly Member[] {
    return this.members.filter((member) => member.isUp)
  }

  member(ref: MemberRef): Member {
    if (typeof ref !== 'number') return ref
    const found = this.#members.find(({ number }) => number === ref)
    if (found === undefined) throw new Error(`there is no member ${ref}`)
    return found
  }

  /** As of now; throws when nobody leads. */
  get leader(): Member {
    const leader = this.alive.find((member) => member.isLeading)
    if (leader === undefined) throw new Error('nobody leads now')
    return leader
  }

  get followers(): readonly Member[] {
    return this.alive.filter(({ role }) => role === 'following')
  }

  /** What people would share. */
  get link(): string {
    const member = this.alive[0] ?? this.#members[0]
    if (member === undefined) throw new Error('no tab was opened')
    return member.link
  }

  /** One more tab of the room: an observer, once there are as many voters as the room has. */
  async add(browser: BrowserProcess | undefined = this.browsers[0]): Promise<Member> {
    if (browser === undefined) throw new Error('no browser')
    const member = await Member.open(browser, this.link)
    this.#members.push(member)
    await member.untilServing()
    await this.#tellFaults()
    return member
  }

  /** A handle in the page of that member, to use from the test. */
  client(ref: MemberRef, options?: TabClientOptions): Promise<TabClient> {
    return TabClient.open(this.member(ref), options)
  }

  /**
   * What all handles of all pages did since the beginning, with the log of a member. Waits until
   * nothing is under way; calls that still have no answer count as if they may have happened.
   */
  async recording(title = 'ensemble'): Promise<Recording> {
    await this.waitForQuiet()
    return this.#recording.finish(title, this.members)
  }

  /**
   * For tests that go on for long: what follows is a history of its own, which begins with the
   * tree that the judgement of the one so far has left (`Verdict.after`). Close all handles before.
   */
  beginPart(before: RecordedTree): void {
    this.#recording.beginPart(before)
  }

  /** Likewise, between faults: members that are given a snapshot forget the log before it. */
  async collectLog(): Promise<void> {
    await this.#recording.collectLog(this.members)
  }

  /** How many calls of all handles of all pages were answered without an error so far. */
  get answers(): number {
    return this.#recording.answers
  }

  /** For reports of tests that fail: at once, without the log. */
  recordingSoFar(title = 'ensemble'): Recording {
    return this.#recording.soFar(title, this.members)
  }

  // — processes —

  async kill(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#recording.fault('killed', [member])
    await member.kill(this.#isAlone(member))
    this.#recording.down(member)
  }

  async close(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#recording.fault('closed', [member])
    await member.close()
    this.#recording.down(member)
  }

  async restart(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#storages.delete(member)
    await member.restart()
  }

  async reload(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#storages.delete(member)
    await member.reload()
  }

  async freeze(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#stands.set(member, this.#recording.fault('frozen', [member]))
    await member.freeze()
  }

  async thaw(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    await member.thaw()
    this.#stands.get(member)?.()
  }

  /** A lid is closed: the whole browser of that member stands still, with all of its tabs. */
  async sleep(ref: MemberRef): Promise<void> {
    const { browser } = this.member(ref)
    for (const member of this.#of(browser)) {
      this.#stands.set(member, this.#recording.fault('asleep', [member]))
      member.isAsleep = true
    }
    await browser.sleep()
  }

  async wake(ref: MemberRef): Promise<void> {
    const { browser } = this.member(ref)
    await browser.wake()
    for (const member of this.#of(browser)) {
      member.isAsleep = false
      this.#stands.get(member)?.()
    }
  }

  // — network —

  async partition(...groups: readonly (readonly MemberRef[])[]): Promise<void> {
    const words = groups.map((group) => group.map((ref) => this.member(ref).number).join(' '))
    this.#begins(`partition ${words.join(' | ')}`, groups.flat())
    this.#links.partition(groups.map((group) => group.map((ref) => this.#nameOf(ref))))
    await this.#tellFaults()
  }

  async isolate(ref: MemberRef): Promise<void> {
    this.#begins('isolated', [ref])
    this.#links.isolate(this.#nameOf(ref))
    await this.#tellFaults()
  }

  async oneWay(from: MemberRef, to: MemberRef): Promise<void> {
    this.#begins(`what ${this.member(from).number} says does not arrive`, [from, to])
    this.#links.oneWay(this.#nameOf(from), this.#nameOf(to))
    await this.#tellFaults()
  }

  async delay(delay: Delay, between?: readonly [MemberRef, MemberRef]): Promise<void> {
    this.#begins(`delay ${String(delay)} ms`, between ?? [])
    this.#links.delay(delay, this.#pairOf(between))
    await this.#tellFaults()
  }

  async drop(chance: number, between?: readonly [MemberRef, MemberRef]): Promise<void> {
    this.#begins(`loss ${chance}`, between ?? [])
    this.#links.drop(chance, this.#pairOf(between))
    await this.#tellFaults()
  }

  /**
   * The chance that a message between members comes twice. No network does that to a member, for
   * its channels keep count; it must survive it all the same. What a client and a member tell each
   * other is spared: ZooKeeper's protocol does not count it, and a request that came twice would be
   * done twice.
   */
  async duplicate(chance: number, between?: readonly [MemberRef, MemberRef]): Promise<void> {
    this.#begins(`twice ${chance}`, between ?? [])
    this.#links.duplicate(chance, this.#pairOf(between))
    await this.#tellFaults()
  }

  /** The chance that a message comes after the next one; as with `duplicate`. */
  async reorder(chance: number, between?: readonly [MemberRef, MemberRef]): Promise<void> {
    this.#begins(`out of order ${chance}`, between ?? [])
    this.#links.reorder(chance, this.#pairOf(between))
    await this.#tellFaults()
  }

  async heal(): Promise<void> {
    this.#links.heal()
    for (const end of this.#faultsEnd.splice(0)) end()
    await this.#tellFaults()
  }

  // — storage —

  async wipeStorage(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#recording.fault('storage wiped', [member])
    await member.wipeStorage()
  }

  /** `torn`, `blocked`: the member is killed, its storage is so, `restart` is up to the test. */
  async failStorage(
    ref: MemberRef,
    fault: KitStorageFault = 'quota',
    { slowMs = SLOW_WRITE_MS, limitMs = HANG_LIMIT_MS }: StorageFaultOptions = {},
  ): Promise<void> {
    const member = this.member(ref)
    this.#recording.fault(`storage: ${fault}`, [member])
    if (fault === 'torn' || fault === 'blocked') return this.#hurtAtRest(member, fault)
    this.#requireFaults()
    this.#storages.set(member, { fault, slowMs, limitMs })
    await this.#tellFaults()
  }

  /** A `slow` one is quick again, one that `hangs` goes on; what has failed stays so. */
  async healStorage(ref: MemberRef): Promise<void> {
    const member = this.member(ref)
    this.#storages.delete(member)
    const holder = this.#holders.get(member)
    this.#holders.delete(member)
    if (holder !== undefined) await inKit(holder, (kit) => kit.unblockDatabase(), null)
    await holder?.close()
    await this.#tellFaults()
  }

  // — clients —

  /** As after its time-out: its ephemerals are gone, and the handle hears of it by itself. */
  async expireSession(client: TabClient): Promise<void> {
    const { id, password } = await client.session()
    const other = this.alive.find((member) => member.status?.member?.serving === true)
    if (other === undefined) throw new Error('no member serves')
    await inKit(other.page, (kit, [session, word]) => kit.endSession(session, word), [
      id,
      password,
    ] as const)
  }

  // — roles —

  async forceLeader(ref: MemberRef, options: WaitOptions = {}): Promise<void> {
    await electLeader(this, this.member(ref), options)
  }

  /** The number of the member that leads and serves; who stands still does neither. */
  async waitForLeader(options: WaitOptions = {}): Promise<number> {
    const untilMs = Date.now() + (options.timeoutMs ?? PATIENCE_MS)
    const leads = ({ isFrozen, isLeading, status }: Member): boolean =>
      !isFrozen && isLeading && status?.member?.serving === true
    for (;;) {
      const timeoutMs = Math.max(0, untilMs - Date.now())
      const what = 'a leader that serves'
      const find = (): Member | undefined => this.alive.find(leads)
      const leader = await waitUntil(this.#lines(), find, { what, ...options, timeoutMs })
      // What its page told is up to half a second old: it may have been deposed since.
      await leader.refresh()
      if (leads(leader)) return leader.number
    }
  }

  /** Every member that is open serves, and hears every other one. */
  async waitForWhole(options: WaitOptions = {}): Promise<void> {
    await this.#until(() => whatIsNotWhole(this.alive), options)
  }

  async waitForQuiet(options: WaitOptions = {}): Promise<void> {
    const untilMs = Date.now() + (options.timeoutMs ?? PATIENCE_MS)
    do {
      const timeoutMs = Math.max(0, untilMs - Date.now())
      await this.#until(() => whatIsNotQuiet(this.alive), { ...options, timeoutMs })
      // What pages told is up to half a second old, so they are asked anew.
      await Promise.all(this.alive.map((member) => member.refresh()))
    } while (whatIsNotQuiet(this.alive) !== null)
  }

  async #until(whatIsMissing: () => string | null, options: WaitOptions): Promise<void> {
    const what = (): string => whatIsMissing() ?? 'nothing'
    await waitUntil(this.#lines(), () => whatIsMissing() === null, options).catch(
      (error: unknown) => {
        throw new Error(`${what()}. ${error instanceof Error ? error.message : ''}`)
      },
    )
  }

  async #open(index: number, url: string): Promise<Member> {
    const member = await Member.open(this.#browserOf(index), url)
    this.#members.push(member)
    return member
  }

  #browserOf(index: number): BrowserProcess {
    const browser = this.browsers[index % this.browsers.length]
    if (browser === undefined) throw new Error('no browser')
    return browser
  }

  async #hurtAtRest(member: Member, fault: 'torn' | 'blocked'): Promise<void> {
    await this.kill(member)
    const page = await member.browser.newPage()
    await page.route(`**${BLANK_PATH}`, (route) => route.fulfill(BLANK_PAGE))
    await page.goto(new URL(BLANK_PATH, member.link).href)
    if (fault === 'blocked') {
      await inKit(page, (kit, identity) => kit.blockDatabase(identity), member.identity)
      this.#holders.set(member, page)
      return
    }
    await inKit(page, (kit, identity) => kit.tearLog(identity), member.identity)
    await page.close()
  }

  /** Else a test that hurts nobody would pass. */
  #requireFaults(): void {
    if (this.browsers.every(({ hasFaults }) => hasFaults)) return
    throw new Error('links and storage cannot be hurt in a browser that was opened without faults')
  }

  #begins(what: string, refs: readonly MemberRef[]): void {
    this.#requireFaults()
    const members = refs.map((ref) => this.member(ref))
    this.#faultsEnd.push(this.#recording.fault(what, members))
  }

  #of(browser: TabHome): readonly Member[] {
    return this.alive.filter((member) => member.browser === browser)
  }

  #isAlone(member: Member): boolean {
    return this.#members.every((one) => one === member || one.browser !== member.browser)
  }

  #lines(): readonly PageLine[] {
    return this.#members.map(({ line }) => line)
  }

  #nameOf(ref: MemberRef): string {
    const { identity, number } = this.member(ref)
    if (identity === '') throw new Error(`member ${number} has not started yet`)
    return identity
  }

  #pairOf(pair?: readonly [MemberRef, MemberRef]): readonly [string, string] | null {
    return pair === undefined ? null : [this.#nameOf(pair[0]), this.#nameOf(pair[1])]
  }

  #faultsOf(line: PageLine): MemberFaults {
    const member = this.#members.find((one) => one.line === line)
    const known = this.alive.map(({ identity }) => identity).filter((name) => name !== '')
    return {
      turn: this.#faultTurn,
      links: this.#links.rulesOf(line.identity ?? member?.identity ?? '', known),
      storage: (member === undefined ? undefined : this.#storages.get(member)) ?? NO_STORAGE_FAULT,
    }
  }

  /** Resolves when they hold everywhere. A tab that stands still is told, and hears it later. */
  async #tellFaults(): Promise<void> {
    this.#faultTurn++
    await Promise.all(
      this.alive.map(async (member) => {
        const told = inKit(
          member.page,
          (kit, faults) => kit.setFaults(faults),
          this.#faultsOf(member.line),
        )
        // One that takes no part yet asks for its faults when it begins.
        if (!member.isFrozen && member.status !== null) await told
        // Its own end is all that a page that went meanwhile has to say.
        else told.catch(() => {})
      }),
    )
  }
}

/** Holds the room's name and secret, so that all tabs may open it at once. */
function isLinkOfRoom(url: string): boolean {
  const { searchParams, hash } = new URL(url)
  return searchParams.has('room') && hash.length > 1
}

async function linkOf(member: Member): Promise<string> {
  const find = (): string | null => member.line.link
  return member.until(find, { what: 'the app of the first tab joins a room by itself' })
}
