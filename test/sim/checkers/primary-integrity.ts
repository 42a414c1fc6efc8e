/**
 * PrimaryIntegrity (T41): before a primary broadcasts, it has delivered whatever anybody delivers
 * from older epochs, also later: so nothing older is ever committed beside its initial history.
 */
import { epochOf, ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type { History } from '../history.ts'
import type { World } from '../world.ts'
import type { GlobalLog } from './prefix-consistency.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkPrimaryIntegrity(world: World, history: History, log: GlobalLog): void {
  const rule = new Rule(world, 'PrimaryIntegrity')
  /** Initial history of each epoch's established primary, newest epoch last. */
  const primaries: { readonly epoch: number; readonly last: Zxid }[] = []
  world.probe.on('service', ({ host, service }) => {
    if (service.kind !== 'leading') return
    const last = log.applied(host)
    const { epoch } = service
    const older = log.entries.findLast(({ zxid }) => epochOf(zxid) < epoch)
    rule.holds(older === undefined || history.isOnPath(older.zxid, last), () => {
      return `${host.name} leads epoch ${epoch} from ${hex(last)} without ${hex(older?.zxid ?? 0n)}`
    })
    const begins = log.origin === ZXID_NONE || history.isOnPath(log.origin, last)
    rule.holds(begins, () => {
      return `${host.name} leads epoch ${epoch} from ${hex(last)} without ${hex(log.origin)}`
    })
    primaries.push({ epoch, last })
  })
  world.probe.on('committed', ({ zxid }) => {
    const epoch = epochOf(zxid)
    for (let i = primaries.length - 1; i >= 0; i--) {
      const primary = primaries[i]
      if (primary === undefined || primary.epoch <= epoch) break
      rule.holds(history.isOnPath(zxid, primary.last), () => {
        return `${hex(zxid)} is committed beside the history of epoch ${primary.epoch}`
      })
    }
  })
}
