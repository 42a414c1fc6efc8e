/** CPU profile of a page's member worker, by Chromium's own profiler. */
import type { Page } from 'playwright'
import { WorkerSession } from './worker-session.ts'

/** As DevTools' performance panel loads it from a `.cpuprofile` file. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const SAMPLING_INTERVAL_US = 250

/** Starts at once; the function stops it and hands over what was found. */
export async function profileWorker(page: Page): Promise<() => Promise<CpuProfile>> {
  const worker = await WorkerSession.open(page)
  await worker.call('Profiler.enable')
  await worker.call('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
  await worker.call('Profiler.start')
  return async () => {
    const { profile } = (await worker.call('Profiler.stop')) as { readonly profile?: CpuProfile }
    await worker.close()
    if (profile === undefined) throw new Error('no profile')
    return profile
  }
}

/** The page itself: the client and what the page shows. */
export async function profilePage(page: Page): Promise<() => Promise<CpuProfile>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
  await session.send('Profiler.start')
  return async () => {
    const { profile } = await session.send('Profiler.stop')
    await session.detach()
    return profile as CpuProfile
  }
}

/** Share of the samples by function, largest first. */
export function hottest(profile: CpuProfile, count: number): string[] {
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || '(anonymous)'}:${callFrame.lineNumber + 1}`,
    ]),
  )
  const timeUs = new Map<string, number>()
  let totalUs = 0
  for (const [i, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '?'
    const us = profile.timeDeltas[i] ?? 0
    totalUs += us
    timeUs.set(name, (timeUs.get(name) ?? 0) + us)
  }
  return [...timeUs]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, us]) => `${((100 * us) / totalUs).toFixed(1)} % ${name}`)
}
