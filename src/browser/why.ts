/**
 * From facts to sentences: why this room works, or why it does not and what to do. Pure; the
 * most important first.
 */
import type { WorkerStatus } from '../../worker/protocol.ts'
import type {
  Explanation,
  LinkExplanation,
  MachineExplanation,
  Reason,
  StorageExplanation,
} from './explanation.ts'

/** Of a tab without a machine. */
export interface ClientView {
  readonly text: string
  readonly reachable: readonly number[]
}

export interface WhyFacts {
  /** null in a tab that is a client only. */
  readonly status: WorkerStatus | null
  readonly client: ClientView | null
  readonly machines: readonly MachineExplanation[]
  readonly links: readonly LinkExplanation[]
  readonly storage: StorageExplanation
  readonly signaling: Explanation['signaling']
  /** Local time of day, for people. */
  readonly timeOf: (iso: string) => string
}

/** A batch that takes longer makes people wait; p99 of a strict batch is some 30 ms. */
export const DISK_SLOW_MS = 500
/** A write under way for so long: the member stops answering pings soon (1.2 s). */
export const DISK_STUCK_MS = 1_000
/** Beyond that share of the quota the browser may refuse any write. */
export const QUOTA_FULL_SHARE = 0.9

export function whyOf(facts: WhyFacts): Reason[] {
  const reasons = [
    ...ofCommits(facts),
    ...ofMachines(facts),
    ...ofLinks(facts),
    ...ofBroker(facts),
    ...ofStorage(facts.storage),
  ]
  const order = ['problem', 'ok', 'note']
  // Stable: within one severity the order above stands.
  return reasons.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
}

function ofCommits({ status, client, machines }: WhyFacts): Reason[] {
  if (status === null) {
    const text = 'This tab is a client: it stores nothing and uses the machines of others.'
    if (client === null || client.reachable.length > 0) return [ok('client-only', text)]
    return [problem('not-serving', sentence(client.text), 'Open a machine of this room.')]
  }
  const { member, phase, text } = status
  if (phase === 'starting') return [note('starting', `Starting: ${text}.`)]
  if (phase === 'waiting') return [waiting(status)]
  if (phase === 'failed') {
    const help = 'Reload this page. If it fails again, this browser withholds its storage.'
    return [problem('not-running', sentence(text), help)]
  }
  if (member === null) {
    return phase === 'client'
      ? [ok('client-only', 'This tab is no voter: it uses the machines of others.')]
      : [note('starting', 'This machine is starting.')]
  }
  if (member.halted !== null) {
    const help = 'Reload this page: the machine starts again from what is on its disk.'
    return [problem('not-running', `This machine stopped: ${member.halted}.`, help)]
  }
  const reasons: Reason[] = []
  if (member.digestMismatches > 0) {
    const help = 'Copy this report and tell the makers; a reload copies the tree anew.'
    const what = 'Its tree differs from what the leader wrote down.'
    reasons.push(problem('digest-mismatch', what, help))
  }
  return [...reasons, serving(status, member, machines)]
}

function waiting(status: WorkerStatus): Reason {
  const left = Math.max(0, status.size - status.here)
  const open = left === 1 ? 'one more tab' : `${left} more tabs`
  const help = left === 0 ? null : `Open the link of this room in ${open}.`
  return problem('waiting-for-machines', sentence(status.text), help)
}

function serving(
  status: WorkerStatus,
  member: NonNullable<WorkerStatus['member']>,
  machines: readonly MachineExplanation[],
): Reason {
  const { quorum } = member
  if (!quorum.reachable) {
    const here = machines.filter((machine) => machine.isUp).length
    const have = here === 1 ? 'only this one is' : `${here} are`
    const text =
      `Nothing can be written or read: ${quorum.needed} of ${quorum.voters} machines are needed, ` +
      `and ${have} here.`
    return problem('no-quorum', text, null)
  }
  if (member.serving) {
    const leads = member.leader === status.sid ? 'This machine' : `Machine ${member.leader ?? '?'}`
    const enough = `${quorum.needed} of ${quorum.voters} have it on disk`
    return ok('serving', `${leads} leads; a write counts once ${enough}.`)
  }
  const why = member.whyNotServing ?? 'electing a leader'
  if (member.role === 'looking') {
    return problem('electing', `The machines are electing a leader: ${why}.`, null)
  }
  return problem('not-serving', `This machine does not serve yet: ${why}.`, null)
}

function ofMachines({ status, machines, links, timeOf }: WhyFacts): Reason[] {
  const quorum = status?.member?.quorum
  const away = machines.filter((machine) => !machine.isUp)
  const reasons = away.map((machine) => {
    const since = machine.awaySince === null ? '' : ` since ${timeOf(machine.awaySince)}`
    const text = `Machine ${machine.sid} is away${since}.`
    const make = quorum?.reachable === false ? problem : note
    return make('machine-away', text, helpFor(machine, links))
  })
  const spare = quorum === undefined ? 1 : machines.length - away.length - quorum.needed
  if (away.length > 0 && spare === 0) {
    const text = 'No machine is to spare: if one more goes, nothing can be written.'
    reasons.push(note('no-spare-machine', text))
  }
  return reasons
}

/** Whether its page is known here tells what a person has to do. */
function helpFor(machine: MachineExplanation, links: readonly LinkExplanation[]): string {
  const link = links.find((one) => one.sid === machine.sid)
  if (link?.state === 'connected') {
    return (
      'Its page is connected and silent: the tab may be frozen or busy. Bring it to the ' +
      'front, or reload it.'
    )
  }
  const reason = link?.lastEnd?.reason
  const ended = reason === undefined ? '' : ` Its link ended: ${reason}.`
  return (
    'Open this room again in the browser and profile where it ran; its data is there. If its tab ' +
    `is open, let the connection doctor look.${ended}`
  )
}

function ofLinks({ links }: WhyFacts): Reason[] {
  const relayed = links.filter(
    (link) => link.localCandidate === 'relay' || link.remoteCandidate === 'relay',
  )
  const reasons: Reason[] = []
  if (relayed.length > 0) {
    const names = relayed.map((link) => link.name).join(', ')
    reasons.push(note('link-relayed', `By way of a TURN server, so slower: ${names}.`))
  }
  const apart = links.filter(isApart)
  if (apart.length > 0) {
    const names = apart.map((link) => link.name).join(', ')
    const text = `Listed in this room, but no connection comes about: ${names}.`
    reasons.push(note('pair-apart', text, 'The connection doctor finds out why.'))
  }
  return reasons
}

/** It was tried and failed; two pages that need no link (guests) say so, and are no matter. */
function isApart(link: LinkExplanation): boolean {
  const isOver = link.state === 'waiting' || link.state === 'connecting'
  return isOver && link.attempts > 1 && !/voters only/.test(link.lastEnd?.reason ?? '')
}

function ofBroker({ signaling }: WhyFacts): Reason[] {
  if (signaling.state === 'joined' || signaling.state === 'connecting') return []
  const why = signaling.reason === null ? '' : ` (${signaling.reason})`
  const text = `The signaling server cannot be reached${why}: open tabs go on, no new ones join.`
  const help = 'Start it again, or look at the network. Nothing is lost meanwhile.'
  return [note('broker-away', text, help)]
}

function ofStorage(storage: StorageExplanation): Reason[] {
  const { disk, quotaBytes, usageBytes } = storage
  if (storage.durability === null) return []
  const reasons: Reason[] = []
  if ((disk?.writingForMs ?? 0) > DISK_STUCK_MS) {
    const help = 'Look whether the disk is full or another program keeps it busy.'
    reasons.push(problem('storage-failing', 'The disk does not take what it is given.', help))
  } else if ((disk?.newestBatchTookMs ?? 0) > DISK_SLOW_MS) {
    const took = Math.round(disk?.newestBatchTookMs ?? 0)
    reasons.push(note('storage-slow', `The last write to disk took ${took} ms.`))
  }
  if (quotaBytes !== null && usageBytes !== null && usageBytes > quotaBytes * QUOTA_FULL_SHARE) {
    const help = 'Free some space on this device, or stored data of other pages.'
    reasons.push(problem('storage-full', 'The storage of this page is nearly full.', help))
  }
  if (storage.privateWindow === true) {
    const text = 'This looks like a private window: its machine is gone when the last one closes.'
    reasons.push(note('storage-private', text, 'Use an ordinary window for a machine that lasts.'))
  } else if (storage.isAsking) {
    const text = 'The browser asks whether this page may keep its data: the answer is open.'
    reasons.push(note('storage-evictable', text, 'Say yes, or it may go when the disk is full.'))
  } else if (!storage.persisted) {
    const text = 'The browser did not promise to keep this data: it may go when the disk is full.'
    const help = 'Browsers promise it to pages that are installed, bookmarked or used often.'
    reasons.push(note('storage-evictable', text, help))
  }
  return reasons
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

function ok(code: Reason['code'], text: string): Reason {
  return { code, severity: 'ok', text, help: null }
}

function note(code: Reason['code'], text: string, help: string | null = null): Reason {
  return { code, severity: 'note', text, help }
}

function problem(code: Reason['code'], text: string, help: string | null = null): Reason {
  return { code, severity: 'problem', text, help }
}
