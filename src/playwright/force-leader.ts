/**
 * Makes a voter the leader as elections do: of those that hear each other, who has the newest log
 * leads, and of equals the highest server id. So some others miss an entry, and then only they hear
 * the one that is wanted.
 */
import type { Member } from './member.ts'
import { inKit } from './page-call.ts'
import { waitUntil, type WaitOptions } from './page-line.ts'

/** What is done to the ensemble for it. */
export interface Electorate {
  readonly alive: readonly Member[]
  partition(...groups: readonly (readonly Member[])[]): Promise<void>
  heal(): Promise<void>
  waitForWhole(options: WaitOptions): Promise<void>
}

export async function electLeader(
  ensemble: Electorate,
  wanted: Member,
  options: WaitOptions,
): Promise<void> {
  await ensemble.waitForWhole(options)
  if (wanted.isLeading) return
  const voters = ensemble.alive.filter((member) => member.isVoter)
  const total = wanted.status?.voters.length ?? voters.length
  const quorum = Math.floor(total / 2) + 1
  if (!voters.includes(wanted)) throw new Error(`member ${wanted.number} has no vote`)
  // Those who miss the entry, and make a quorum with the one that is wanted.
  const behind = voters.filter((member) => member !== wanted).slice(0, quorum - 1)
  const ahead = voters.filter((member) => !behind.includes(member))
  if (ahead.length < quorum) {
    const have = `${voters.length} of ${total} voters`
    throw new Error(`with ${have} open no entry can be committed that the others miss`)
  }
  await ensemble.partition(ahead, behind)
  try {
    await leads(ahead, options)
    // A session is an entry of the log that no tree shows.
    await inKit(wanted.page, (kit) => kit.openAndCloseSession(), null)
    await ensemble.partition([wanted, ...behind], without(ahead, wanted))
    await wanted.until(() => wanted.isLeading && wanted.status?.member?.serving === true, {
      what: `member ${wanted.number} leads`,
      ...options,
    })
  } finally {
    await ensemble.heal()
  }
  await ensemble.waitForWhole(options)
  if (!wanted.isLeading) throw new Error(`member ${wanted.number} led, and lost it again`)
}

/** One of them, and it serves them all: the others were left behind. */
async function leads(group: readonly Member[], options: WaitOptions): Promise<void> {
  const isServed = (): boolean =>
    group.every(({ status }) => status?.member?.serving === true) &&
    group.some((member) => member.isLeading)
  const lines = group.map(({ line }) => line)
  await waitUntil(lines, isServed, { what: 'a leader of one part', ...options })
}

function without(members: readonly Member[], one: Member): readonly Member[] {
  return members.filter((member) => member !== one)
}
