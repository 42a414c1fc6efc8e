/** One zxid names one entry with one past, in every log; see history.ts. */
import { History } from '../history.ts'
import type { World } from '../world.ts'
import { Rule } from '../../../src/history/rule.ts'

export function trackHistory(world: World): History {
  const rule = new Rule(world, 'LogMatching')
  return new History(world, (what) => {
    rule.holds(false, () => what)
  })
}
