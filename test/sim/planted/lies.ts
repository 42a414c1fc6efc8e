/**
 * For every rule something that breaks it, told to the checkers of a run that is right: what a
 * wrong ensemble would have shown. Bugs in the code itself are in bugs.ts; some rules only they
 * can break.
 */
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { epochOf, toZxid, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import { Probe, type SimEvents } from '../probe.ts'

type Kind = keyof SimEvents
type Told = { [K in Kind]: readonly [K, SimEvents[K]] }[Kind]

export interface Lie {
  readonly rule: string
  readonly what: string
  /** Others break by it as well, and earlier. */
  readonly isAlone?: boolean
  /** What is told instead, or null where this one is told as it is. Of use once. */
  alter(told: Told, hosts: readonly HostView[]): readonly Told[] | null
}

/** Something was acknowledged long before. */
const LATE_MS = 10_000
/** Lets the ensemble come to be, and some sessions and values with it. */
const TRUE_EVENTS = 4000

export class LyingProbe extends Probe {
  readonly #lie: Lie
  readonly #hosts: () => readonly HostView[]
  #left = TRUE_EVENTS
  #isTold = false

  constructor(lie: Lie, hosts: () => readonly HostView[]) {
    super()
    this.#lie = lie
    this.#hosts = hosts
  }

  override emit<K extends Kind>(kind: K, event: SimEvents[K]): void {
    this.#left--
    const told = [kind, event] as unknown as Told
    const instead = this.#isTold || this.#left > 0 ? null : this.#lie.alter(told, this.#hosts())
    if (instead === null) {
      super.emit(kind, event)
      return
    }
    this.#isTold = true
    for (const [otherKind, other] of instead) super.emit(otherKind, other)
  }
}

/** One event of that kind, changed; null leaves it as it is. */
function changed<K extends Kind>(
  kind: K,
  rule: string,
  what: string,
  change: (event: SimEvents[K], hosts: readonly HostView[]) => readonly Told[] | null,
): Lie {
  return {
    rule,
    what,
    alter: (told, hosts) => (told[0] === kind ? change(told[1] as SimEvents[K], hosts) : null),
  }
}

function alone<K extends Kind>(
  kind: K,
  rule: string,
  what: string,
  change: (event: SimEvents[K]) => readonly Told[] | null,
): Lie {
  return { ...changed(kind, rule, what, change), isAlone: true }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const last = copy.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

function another(host: HostView, hosts: readonly HostView[]): HostView {
  const other = hosts.find((each) => each !== host && !each.isObserver)
  if (other === undefined) throw new Error('one host')
  return other
}

/** The same host, with a disk that is said to hold something else. */
function withView(host: HostView, view: object): HostView {
  const own = Object.create(host.view, Object.getOwnPropertyDescriptors(view)) as object
  return Object.create(host, { view: { value: own } }) as HostView
}

const OF_MEMBERS: readonly Lie[] = [
  changed('emitted', 'LogMatching', 'an entry is logged with other bytes', (event, hosts) => {
    const { host, effect } = event
    if (effect.kind !== 'append' || host.view.last === ZXID_NONE) return null
    const twin = { host: another(host, hosts), effect }
    const other = { host, effect: { ...effect, entry: flipped(effect.entry) } }
    return [
      ['emitted', twin],
      ['emitted', other],
    ]
  }),
  changed('delivered', 'Integrity', 'an entry is applied that nobody broadcast', (event) => {
    const entry = { ...event.entry, entry: flipped(event.entry.entry) }
    return [['delivered', { ...event, entry }]]
  }),
  changed('delivered', 'TotalOrder', 'an entry is left out', () => []),
  changed('delivered', 'AppliedOnce', 'an entry is applied twice', (event) => [
    ['delivered', event],
    ['delivered', event],
  ]),
  changed('service', 'Leadership1', 'two lead one epoch', (event, hosts) => {
    if (event.service.kind !== 'leading') return null
    return [
      ['service', { ...event, host: another(event.host, hosts) }],
      ['service', event],
    ]
  }),
  changed('packet', 'Leadership2', 'two synchronise for one epoch', (event, hosts) => {
    if (event.packet.type !== PacketType.NEWLEADER) return null
    return [
      ['packet', event],
      ['packet', { ...event, host: another(event.host, hosts) }],
    ]
  }),
  alone('delivered', 'Agreement', 'an entry is left out', () => []),
  alone('delivered', 'LocalPrimaryOrder', 'an entry is left out', () => []),
  alone('delivered', 'GlobalPrimaryOrder', 'an old epoch comes after a new one', (event) => [
    ['delivered', event],
    ['delivered', { ...event, entry: { ...event.entry, zxid: toZxid(1n) } }],
  ]),
  changed('packet', 'AckImpliesDurable', 'an ack for what is not on disk', (event) => {
    const { packet } = event
    if (packet.type !== PacketType.ACK) return null
    return [['packet', { ...event, packet: { ...packet, zxid: packet.zxid + 1000n } }]]
  }),
  changed('committed', 'CommittedOnMajority', 'committed, and on no disk', (event) => [
    ['committed', { ...event, zxid: toZxid(event.zxid + 5000n) }],
  ]),
  changed('durable', 'EpochsOnDisk', 'currentEpoch above acceptedEpoch', (event) => {
    const host = withView(event.host, { acceptedEpoch: -1 })
    return [['durable', { ...event, host }]]
  }),
  changed('durable', 'EpochImpliesHistory', 'the epoch without its history', (event) => {
    const { host, batch } = event
    const isWrite = batch.some(({ kind }) => kind === 'current-epoch')
    if (!isWrite || host.isObserver || epochOf(host.view.last) === 0) return null
    return [['durable', { ...event, host: withView(host, { last: ZXID_NONE }) }]]
  }),
  changed('committed', 'PrefixConsistency', 'a server shows another history', (event, hosts) => {
    const [host] = hosts
    if (host === undefined) return null
    const last = toZxid(0x7000_0000_0001n)
    return [
      ['emitted', { host, effect: { kind: 'truncate', to: ZXID_NONE } }],
      ['emitted', { host, effect: { kind: 'append', zxid: last, entry: event.entry } }],
      ['restored', { host, last }],
      ['service', { host, service: following(), last }],
    ]
  }),
  changed('service', 'PrimaryIntegrity', 'a leader begins without what was committed', (event) => {
    const { host, service } = event
    if (service.kind !== 'leading' || epochOf(host.view.last) === 0) return null
    return [
      ['restored', { host, last: ZXID_NONE }],
      ['service', event],
    ]
  }),
  changed('vote', 'ObserverIsSilent', 'an observer votes', (event) => [
    ['vote', { ...event, host: Object.create(event.host, OBSERVER) as HostView }],
  ]),
  changed('vote', 'VoteIsDurable', 'a vote claims more than is on disk', (event) => {
    const { vote, host } = event
    if (vote.leader !== BigInt(host.sid)) return null
    return [['vote', { ...event, vote: { ...vote, zxid: vote.zxid + 1n } }]]
  }),
  changed('finished', 'Convergence', 'a node has another version', (_, hosts) => {
    const node = hosts.find(({ view, tree }) => view.isFounded && tree !== null)?.tree?.node('/')
    if (node === undefined) throw new Error('no tree')
    node.czxid += 1n
    return [['finished', {}]]
  }),
  changed('finished', 'DigestEquality', 'a member alone changed something', (_, hosts) => {
    changeAlone(hosts.findLast(({ view, tree }) => view.isFounded && tree !== null))
    return [['finished', {}]]
  }),
  changed('finished', 'TreeInvariants', 'a child is listed only', (_, hosts) => {
    const host = hosts.find(({ view, tree }) => view.isFounded && tree !== null)
    host?.tree?.node('/zookeeper')?.children?.add('ghost')
    return [['finished', {}]]
  }),
]

/** As if a transaction had been carried out wrongly here. */
function changeAlone(host: HostView | undefined): void {
  const node = host?.tree?.node('/zookeeper')
  const store = host?.tree?.store
  if (node === undefined || store === undefined) throw new Error('no tree')
  store.beforeChange(node)
  node.mtime += 1
  store.afterChange(node)
}

const OBSERVER = { isObserver: { value: true } }

function following(): SimEvents['service']['service'] {
  return { kind: 'following' } as SimEvents['service']['service']
}

type Committed = SimEvents['committed']

function withLogged(event: Committed, header: object, txn: object = {}): readonly Told[] {
  const { logged } = event
  const changedHeader = { ...logged.header, ...header }
  const changedTxn = { ...logged.txn, ...txn }
  return [
    ['committed', { ...event, logged: { ...logged, header: changedHeader, txn: changedTxn } }],
  ]
}

type Completed = SimEvents['completed']

function withOutcome(event: Completed, outcome: Partial<Completed['outcome']>): readonly Told[] {
  return [['completed', { ...event, outcome: { ...event.outcome, ...outcome } }]]
}

const OF_CLIENTS: readonly Lie[] = [
  changed('completed', 'Linearizability', 'a set answers another version', (event) => {
    const { stat } = event.outcome
    if (event.op.call.kind !== 'set' || stat === undefined) return null
    return withOutcome(event, { stat: { ...stat, version: stat.version + 1 } })
  }),
  changed('completed', 'AckedIsCommitted', 'a write answers another zxid', (event) => {
    if (event.op.call.kind !== 'set' || event.outcome.err !== 0) return null
    return withOutcome(event, { zxid: event.outcome.zxid + 1n })
  }),
  changed('completed', 'ReadsShowTheLog', 'a read answers other data', (event) => {
    if (event.op.call.kind !== 'get' || event.outcome.err !== 0) return null
    return withOutcome(event, { data: Uint8Array.of(1, 2, 3) })
  }),
  changed('completed', 'SessionOrder', 'a read goes back in time', (event) => {
    const { kind } = event.op.call
    return kind === 'sync' && event.outcome.zxid > 1n ? withOutcome(event, { zxid: 1n }) : null
  }),
  changed('completed', 'BoundedStaleness', 'a server answers from long ago', (event) => {
    if (event.op.call.kind !== 'sync' || event.op.invokedAtMs < LATE_MS) return null
    const op = { ...event.op, session: 0x7777n }
    return withOutcome({ ...event, op }, { zxid: 0n })
  }),
  changed('completed', 'WithoutLeader', 'a server without a leader writes', (event) => {
    if (event.op.call.kind !== 'set' || event.outcome.err !== 0) return null
    return withOutcome(event, { isReadOnly: true })
  }),
  changed('completed', 'WithoutLeader', 'what it shows no log has made', (event) => {
    const { call } = event.op
    if (call.kind !== 'get' || call.watch || event.outcome.err !== 0) return null
    return withOutcome(event, { isReadOnly: true, data: Uint8Array.of(1, 2, 3) })
  }),
  changed('committed', 'TableOfObservers', 'the ensemble writes by itself', (event) => {
    return event.logged.txn.kind === 'setData' ? withLogged(event, { clientId: 0n }) : null
  }),
  changed('committed', 'SessionIsOpen', 'a session writes that never was', (event) => {
    return event.logged.txn.kind === 'setData' ? withLogged(event, { clientId: 0x999n }) : null
  }),
  changed('committed', 'EphemeralOwnerAlive', 'a session ends and leaves a node', (event) => {
    const { txn } = event.logged
    if (txn.kind !== 'closeSession' || !txn.paths?.length) return null
    return withLogged(event, {}, { paths: [] })
  }),
  changed('committed', 'SequenceGrows', 'a number comes twice', (event) => {
    const { txn } = event.logged
    if (txn.kind !== 'create' || !/-\d{9}[1-9]$/.test(txn.path)) return null
    return withLogged(event, {}, { path: txn.path.replace(/-\d+$/, '-0000000000') })
  }),
  changed('committed', 'NotExpiredEarly', 'a session of a client that is there ends', (event) => {
    const { header, txn } = event.logged
    return txn.kind === 'closeSession' && header.cxid !== 0 ? withLogged(event, { cxid: 0 }) : null
  }),
  changed('watch-event', 'WatchOrder', 'an event never comes', ({ zxid }) => {
    return zxid > 0n ? [] : null
  }),
  changed('watch-event', 'WatchOneShot', 'an event comes twice', (event) => {
    return event.zxid > 0n
      ? [
          ['watch-event', event],
          ['watch-event', event],
        ]
      : null
  }),
  changed('watch-event', 'WatchComplete', 'a change is missed by a move', ({ zxid }) => {
    return zxid === -1n ? [] : null
  }),
]

export const LIES: readonly Lie[] = [...OF_MEMBERS, ...OF_CLIENTS]

/** Rules that only a wrong member breaks: planted bugs, which `npm run sim -- --planted` finds. */
export const BROKEN_BY_BUGS: Readonly<Record<string, readonly string[]>> = {
  ShouldNotBeTriggered: ['hand-over-alone'],
  WordIsKept: ['wiped-voter', 'torn-tail-votes', 'rolled-back-voter'],
  ThawedIsSilent: ['thawed-leader'],
  OneEnsemble: ['everyone-creates'],
  RecordIsDurable: ['record-before-disk'],
  SeatIsTheKeys: ['free-seat'],
}
