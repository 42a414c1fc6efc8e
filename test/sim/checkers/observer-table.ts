/** TableOfObservers (design §4): of no session is only what the leader itself writes. */
import { OBSERVERS_PATH } from '../../../src/core/tree/data-tree.ts'
import { hex, Rule } from '../../../src/history/rule.ts'
import type { World } from '../world.ts'

export function checkObserverTable(world: World): void {
  const table = new Rule(world, 'TableOfObservers')
  world.probe.on('committed', ({ zxid, logged: { header, txn }, replaced }) => {
    if (header.clientId !== 0n || replaced !== undefined) return
    const isTable = txn.kind === 'create' || txn.kind === 'setData'
    table.holds(isTable && txn.path === OBSERVERS_PATH, () => `${txn.kind} at ${hex(zxid)}`)
  })
}
