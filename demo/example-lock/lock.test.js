import { expect, test } from 'vitest'
import { forEachSeed } from 'zabra/testing'
import { withLock } from './lock.js'

const admit = (disk, fence) => {
  if (fence < disk.fence) throw new Error('somebody was here since')
  return Object.assign(disk, { fence })
}

const saveOne = (disk, tab, clock) =>
  withLock(tab, async (fence = disk.fence) => {
    const { saves } = admit(disk, fence)
    await clock.sleep(3000) // the disk is slow
    admit(disk, fence).saves = saves + 1
    disk.done++
  })

test('nobody undoes what another one saved', () =>
  forEachSeed(20, async (ensemble) => {
    const disk = { saves: 0, done: 0, fence: 0n }
    const tabs = [await ensemble.client(), await ensemble.client()]
    const saving = tabs.map((tab) => saveOne(disk, tab, ensemble.clockOf(tab)))
    await ensemble.advance(6000 * ensemble.random())
    await ensemble.freeze(tabs[0]) // a laptop is closed
    await ensemble.advance(15_000)
    await ensemble.thaw(tabs[0])
    await Promise.allSettled(saving)
    expect(disk.saves).toBe(disk.done)
  }))
