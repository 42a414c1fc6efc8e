/**
 * ThawedIsSilent (Q85): a member that slept beyond the silence limit answers nothing that was asked
 * before or on connections from before, however much of it waits.
 */
import type { ConnectionId } from '../../../src/core/server/effect.ts'
import { SILENCE_LIMIT_MS } from '../../../src/core/zab/constants.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { Rule } from '../../../src/history/rule.ts'

/** Both clocks are read at inputs, one tick apart at most; so much shorter a sleep may pass. */
const SLACK_MS = 60

export function checkThawed(world: World): void {
  const rule = new Rule(world, 'ThawedIsSilent')
  const barred = new Map<HostView, { readonly upTo: ConnectionId; readonly sleptMs: number }>()
  world.probe.on('started', ({ host }) => {
    barred.delete(host)
  })
  world.probe.on('thawed', ({ host, sleptMs }) => {
    if (sleptMs <= SILENCE_LIMIT_MS + SLACK_MS) return
    barred.set(host, { upTo: host.newestConnection, sleptMs })
  })
  world.probe.on('client-send', ({ host, connection }) => {
    const bar = barred.get(host)
    if (bar === undefined) return
    rule.holds(connection > bar.upTo, () => {
      const slept = `${bar.sleptMs.toFixed(0)} ms`
      return `${host.name} slept ${slept} and answers on connection ${connection} from before`
    })
  })
}
