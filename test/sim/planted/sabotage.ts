/**
 * For the rules of the world itself (it goes on, it comes to rest, nobody throws): what breaks
 * them, done to a run from outside. What is told to the other rules instead of the truth is in
 * lies.ts.
 */
import { ClientLink } from '../client-link.ts'
import type { Draw } from '../draw.ts'
import type { World } from '../world.ts'
import { NO_BUG, type PlantedBug } from './planted-bug.ts'

export interface Sabotage {
  readonly rule: string
  readonly what: string
  readonly planted?: PlantedBug
  /** What it needs to be drawn. */
  readonly draw?: Partial<Draw>
  /** Before the run. */
  begin?(world: World): void
}

const NEVER_MS = 1e9

function onHealed(act: (world: World) => void): (world: World) => void {
  return (world) => {
    world.probe.on('healed', () => {
      act(world)
    })
  }
}

/** Throws as soon as a learner is to be brought up. */
const THROWS: PlantedBug = {
  ...NO_BUG,
  zabRules: {
    chooseSync: () => {
      throw new Error('a bug')
    },
  },
}

export const SABOTAGES: readonly Sabotage[] = [
  { rule: 'NoHalt', what: 'the core throws while it handles an input', planted: THROWS },
  {
    rule: 'NoException',
    what: 'a driver throws',
    begin: (world) => {
      for (const host of world.hosts) {
        host.disk.apply = () => {
          throw new Error('a bug')
        }
      }
    },
  },
  {
    rule: 'NoDivergence',
    what: 'what a member has in memory changes by itself',
    begin: onHealed(({ voters }) => {
      const node = voters.find(({ tree }) => tree !== null)?.tree?.node('/zookeeper')
      if (node !== undefined) node.mtime += 1
    }),
  },
  {
    rule: 'FoundingCompletes',
    what: 'the pages of a room never find each other',
    draw: { pages: 4, hasOrigin: false },
    begin: ({ room }) => {
      if (room !== null) room.network.dialMissing = () => undefined
    },
  },
  {
    rule: 'ServiceResumes',
    what: 'nobody hears anybody when all faults are over',
    begin: onHealed(({ hosts, network }) => {
      for (const a of hosts) for (const b of hosts) network.cut(a.sid, b.sid, 'vanish')
      for (const host of hosts) host.crash('with all', true)
    }),
  },
  {
    rule: 'ClientsResume',
    what: 'a client sleeps when all faults are over',
    begin: onHealed(({ clients }) => clients[0]?.sleep(NEVER_MS)),
  },
  {
    rule: 'Settles',
    what: 'a session goes on whose client nobody knows',
    begin: onHealed((world) => {
      world.clients = world.clients.slice(1)
    }),
  },
  {
    rule: 'ComesToRest',
    what: 'a client asks on and on',
    begin: onHealed(({ clients }) => {
      const [client] = clients
      if (client === undefined) return
      Object.defineProperty(client, 'isQuiet', { get: () => false, set: () => undefined })
    }),
  },
  {
    rule: 'EpochImpliesHistory',
    what: 'the state is replaced, and nobody has brought a backup',
    draw: { restores: true, observers: 0 },
    begin: ({ restores }) => {
      restores.take = () => null
    },
  },
  {
    rule: 'NoException',
    what: 'a client cannot read what it is told',
    begin: (world) => {
      world.probe.on('connected', () => {
        throw new Error('a bug')
      })
    },
  },
  {
    rule: 'ReplyOrder',
    what: 'a reply comes twice',
    begin: (world) => {
      const { receive } = ClientLink.prototype
      let isDone = false
      world.probe.on('completed', () => {
        if (isDone) return
        isDone = true
        ClientLink.prototype.receive = function (bytes) {
          ClientLink.prototype.receive = receive
          receive.call(this, bytes)
          receive.call(this, bytes)
        }
      })
    },
  },
]
