/** One zxid names one entry with one past, in every log; see history.ts. */
import { History } from '../history.ts'
import type { World } from '../world.ts'

export function trackHistory(world: World): History {
  return new History(world, (what) => world.fail('LogMatching', what))
}
