/**
 * Machine 1 is to be the first master, so its backup lets it go first: as long as machine 1 is on
 * stage, or may just be coming. A matter of the play, not of the election: whoever creates /master
 * is the master.
 */
import { isZooKeeperError } from '../../src/client/errors.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { untilAnswered } from './careful-calls.ts'
import { ChangeBell } from './change-bell.ts'
import { MASTER, TABS } from './scenario-paths.ts'

/** How long machine 1 has to come on stage. Ours: all tabs hear of a run within a moment. */
const COMING_LIMIT_MS = 2_000

export async function letFirstMachineGoFirst(
  client: ZooKeeperClient,
  wait: (ms: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const bell = new ChangeBell()
  let isLate = false
  wait(COMING_LIMIT_MS, signal).then(
    () => {
      isLate = true
      bell.ring()
    },
    () => {},
  )
  for (let wasHere = false; ;) {
    const watched = { watch: bell.watcher, signal }
    const master = await untilAnswered(() => client.exists(MASTER, watched))
    const tabs = await untilAnswered(() => client.getChildren(TABS, watched)).catch(noneAtAll)
    const isHere = tabs.some((name) => name.startsWith('machine1-'))
    if (master !== null || (!isHere && (wasHere || isLate))) return
    wasHere = isHere
    await bell.heard(signal)
  }
}

/** The run is being cleared; whoever plays will hear of it. */
function noneAtAll(error: unknown): readonly string[] {
  if (!isZooKeeperError(error)) throw error
  return []
}
