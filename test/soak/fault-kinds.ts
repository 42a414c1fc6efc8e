/** Each kind of fault: how it begins, and how it is undone. */
import type { Prng } from '../../src/core/base/prng.ts'
import type { Ensemble, KitStorageFault } from '../../src/playwright/ensemble.ts'
import type { Member } from '../../src/playwright/member.ts'
import type { Site } from '../../src/playwright/site.ts'
import type { Load } from './load.ts'

/** ms that a message takes, at most, under `delay`. */
const DELAY_MAX_MS = 250
const LOSS_MAX = 0.2
/** Between two tabs that come back. */
const APART_MAX_MS = 800

export interface Stage {
  readonly room: Ensemble
  readonly load: Load
  /** Where tabs meet; the pages come from elsewhere. */
  readonly broker: Site
  readonly prng: Prng
  /** Whom nothing has befallen that is not undone yet. */
  free(): readonly Member[]
  pause(maxMs: number): Promise<void>
}

export interface Running {
  readonly victims: readonly Member[]
  undo(): Promise<void>
}

export interface Kind {
  /** How often, compared with the others. */
  readonly weight: number
  /** Two of one kind of place at a time would undo each other; members are many. */
  readonly place: 'member' | 'network' | 'broker' | 'all' | 'session'
  /** It costs its machine what is on its disk, so a majority never suffers it. */
  readonly loses?: 'its last words' | 'everything'
  /** null: there was nobody to hurt. */
  begin(stage: Stage): Promise<Running | null>
}

export const FAULT_KINDS: Readonly<Record<string, Kind>> = {
  kill: one(8, ({ room }, member) => room.kill(member), restarted),
  close: one(4, ({ room }, member) => room.close(member), restarted),
  reload: one(5, ({ room }, member) => room.reload(member)),
  freeze: one(
    7,
    ({ room }, member) => room.freeze(member),
    ({ room }, member) => room.thaw(member),
  ),
  partition: network(5, ({ room, prng }) => {
    const sides = room.members.map((member) => [member, prng.bool()] as const)
    const side = (which: boolean): Member[] =>
      sides.filter(([, is]) => is === which).map(([member]) => member)
    return room.partition(side(true), side(false))
  }),
  isolate: network(5, ({ room, prng }) => room.isolate(victimOf(room.members, prng))),
  'one-way': network(5, async ({ room, prng }) => {
    for (let i = 1 + prng.int(4); i > 0; i--) {
      const [from, to] = shuffled(room.members, prng)
      if (from !== undefined && to !== undefined) await room.oneWay(from, to)
    }
  }),
  delay: network(3, ({ room, prng }) => room.delay([0, 1 + prng.int(DELAY_MAX_MS)])),
  drop: network(3, ({ room, prng }) => room.drop(0.01 + LOSS_MAX * prng.next())),
  'slow-disk': one(4, failing('slow'), quickAgain),
  'stuck-disk': one(3, failing('hangs'), quickAgain),
  'full-disk': one(2, failing('quota'), ({ room }, member) => room.reload(member)),
  'lost-disk': one(2, failing('closed'), ({ room }, member) => room.reload(member)),
  'torn-log': { ...one(2, torn, restarted), loses: 'its last words' },
  wiped: {
    ...one(
      1,
      ({ room }, member) => room.wipeStorage(member),
      ({ room }, member) => room.reload(member),
    ),
    loses: 'everything',
  },
  'all-away': {
    weight: 1,
    place: 'all',
    begin: async (stage) => {
      const victims = shuffled(stage.free(), stage.prng)
      for (const member of victims) await stage.room.kill(member)
      return { victims, undo: () => inDrawnOrder(stage, victims) }
    },
  },
  'no-signaling': {
    weight: 3,
    place: 'broker',
    begin: async ({ broker }) => {
      await broker.stop()
      return { victims: [], undo: () => broker.start() }
    },
  },
  'end-session': {
    weight: 3,
    place: 'session',
    begin: async ({ load, prng }) => {
      return (await load.endOne(prng)) ? { victims: [], undo: async () => {} } : null
    },
  },
}

type OnMember = (stage: Stage, member: Member) => Promise<void>

function one(weight: number, hurt: OnMember, undo: OnMember = async () => {}): Kind {
  return {
    weight,
    place: 'member',
    begin: async (stage) => {
      const free = stage.free()
      if (free.length === 0) return null
      const member = victimOf(free, stage.prng)
      await hurt(stage, member)
      return { victims: [member], undo: () => undo(stage, member) }
    },
  }
}

function network(weight: number, cut: (stage: Stage) => Promise<void>): Kind {
  return {
    weight,
    place: 'network',
    begin: async (stage) => {
      await cut(stage)
      return { victims: [], undo: () => stage.room.heal() }
    },
  }
}

function restarted({ room }: Stage, member: Member): Promise<void> {
  return room.restart(member)
}

/** A machine gives a disk up that keeps it waiting for too long; the page says to load it anew. */
async function quickAgain({ room }: Stage, member: Member): Promise<void> {
  await room.healStorage(member)
  await member.refresh()
  if (member.status?.phase === 'failed') await room.reload(member)
}

function failing(fault: KitStorageFault): OnMember {
  return ({ room }, member) => room.failStorage(member, fault)
}

/** Who was sent a snapshot a moment ago has no log to be torn: dead it is all the same. */
async function torn({ room }: Stage, member: Member): Promise<void> {
  try {
    await room.failStorage(member, 'torn')
  } catch (error) {
    if (!String(error).includes('its log is empty')) throw error
  }
}

async function inDrawnOrder(stage: Stage, victims: readonly Member[]): Promise<void> {
  for (const member of shuffled(victims, stage.prng)) {
    await stage.room.restart(member)
    await stage.pause(APART_MAX_MS)
  }
}

/** Every other time it is the leader, where the most happens. */
function victimOf(members: readonly Member[], prng: Prng): Member {
  const leader = members.find((member) => member.isLeading)
  const drawn = prng.pick(members)
  return prng.bool() ? (leader ?? drawn) : drawn
}

export function shuffled<T>(items: readonly T[], prng: Prng): readonly T[] {
  const keyed = items.map((item) => ({ item, key: prng.next() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}
