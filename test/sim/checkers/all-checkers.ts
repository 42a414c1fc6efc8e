/** Every checker, listening to one world. */
import type { World } from '../world.ts'

export interface Tally {
  operations: number
  checks: number
}

export function listen(world: World): Tally {
  const tally: Tally = { operations: 0, checks: 0 }
  world.probe.on('completed', () => {
    tally.operations++
  })
  return tally
}
