/** SessionEnds (O6): sessions of clients that are gone end, and their ephemerals with them. */
import type { ReferenceTree } from '../../../src/history/reference-tree.ts'
import { hex } from '../../../src/history/rule.ts'
import type { World } from '../world.ts'

export function waitForSessions(world: World, tree: ReferenceTree): void {
  world.conditions.push(() => {
    const alive = new Set(world.clients.map(({ session }) => session))
    const left = tree.openSessions().find((session) => !alive.has(session))
    return left === undefined ? null : `session ${hex(left)} has no client and does not end`
  })
}
