/** Random schedules of everything that can happen to a room; one seed is one schedule. */
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { linkBy, type ModelTab, RoomModel } from './room-model.ts'

const SEEDS = 150
const STEPS = 120
/** Some 30 ms per schedule on a busy core. */
const LIMIT_MS = 60_000

function chaos(seed: number, byHand: boolean): { model: RoomModel; tabs: ModelTab[] } {
  const random = new Prng(`founding ${seed} ${byHand}`)
  const model = new RoomModel()
  const link = byHand ? { ...linkBy('a'), creator: null } : linkBy('a')
  const tabs = ['a', 'b', 'c', 'd', 'e'].map((name) => model.add(name, link))
  for (let step = 0; step < STEPS; step++) {
    const tab = random.pick(tabs)
    const other = random.pick(tabs)
    const dice = random.int(20)
    if (tab.rules === null) {
      if (dice < 8) model.open(tab)
    } else if (dice < 1) model.close(tab)
    else if (dice < 3) model.reload(tab)
    else if (dice < 4 && other !== tab) model.disconnect(tab, other)
    else if (dice < 6 && other !== tab) model.connect(tab, other)
    else if (dice < 7) model.restartBroker([...tabs].sort(() => random.next() - 0.5))
    else model.perform(tab)
  }
  return { model, tabs }
}

/** Everyone opens and every link heals. */
function heal(model: RoomModel, tabs: readonly ModelTab[]): void {
  for (const tab of tabs) if (tab.rules === null) model.open(tab)
  for (const tab of tabs) for (const other of tabs) if (other !== tab) model.connect(tab, other)
  model.settle()
}

describe(`${SEEDS} random schedules`, () => {
  it(
    'under one CREATOR give exactly one ensemble, and after healing everybody is in it',
    () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { model, tabs } = chaos(seed, false)
        expect(model.ensembles(), `seed ${seed}`).toBeLessThanOrEqual(1)
        heal(model, tabs)
        expect(model.ensembles(), `seed ${seed}`).toBe(1)
        const voters = tabs.map((tab) => tab.sid).filter((sid) => typeof sid === 'number')
        expect(voters.sort(), `seed ${seed}`).toEqual([1, 2, 3])
        expect(
          tabs.every((tab) => tab.sid !== undefined),
          `seed ${seed}`,
        ).toBe(true)
      }
    },
    LIMIT_MS,
  )

  it(
    'typed by hand: everybody ends in an ensemble, and whoever met two says so',
    () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { model, tabs } = chaos(seed, true)
        heal(model, tabs)
        expect(
          tabs.every((tab) => tab.sid !== undefined),
          `seed ${seed}`,
        ).toBe(true)
        if (model.ensembles() === 1) continue
        expect(
          tabs.every((tab) => tab.status.secondEnsemble),
          `seed ${seed}`,
        ).toBe(true)
      }
    },
    LIMIT_MS,
  )
})
