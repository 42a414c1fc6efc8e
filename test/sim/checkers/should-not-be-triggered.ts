/**
 * ShouldNotBeTriggered (T32): no member ever finds that a packet of another one is illegal, comes
 * out of order, or does not fit what it has. Who does cuts the link and begins anew, so a leader
 * that leaves something out heals by itself, and no other rule need see it.
 *
 * None is excused: links keep order and bytes, and no code version lies. Duplicate links, restarts
 * and rotten disks make new conversations; what belongs to an old one is dropped in silence.
 */
import type { World } from '../world.ts'
import { Rule } from '../../../src/history/rule.ts'

export function checkProtocol(world: World): void {
  const rule = new Rule(world, 'ShouldNotBeTriggered')
  world.probe.on('trace', ({ host, event }) => {
    rule.holds(event.type !== 'protocol-error', () => {
      const { peer, what } = event as Extract<typeof event, { type: 'protocol-error' }>
      return `${host.name} hears from machine ${peer}: ${what}`
    })
  })
}
