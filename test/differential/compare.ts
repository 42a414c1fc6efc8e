/** Two servers, one script: the first step at which they differ, and the shortest such script. */
import type { Transcript } from './run-script.ts'
import { runScript } from './run-script.ts'
import type { Step } from './step.ts'

export interface Servers {
  readonly theirs: number
  readonly ours: number
}

export interface Difference {
  readonly steps: readonly Step[]
  /** Index of the step; `steps.length` is the tree in the end. */
  readonly at: number
  readonly theirs: readonly string[]
  readonly ours: readonly string[]
}

/** Scripts that are tried when one is made shorter. Ours: some seconds at most. */
const SHRINK_TRIES_MAX = 400

let runs = 0

export async function compare(
  servers: Servers,
  steps: readonly Step[],
): Promise<Difference | null> {
  const root = `/run-${process.pid}-${++runs}`
  const [theirs, ours] = await Promise.all([
    runScript(servers.theirs, root, steps),
    runScript(servers.ours, root, steps),
  ])
  return firstDifference(steps, theirs, ours)
}

/** Leaves out what the difference does not need, larger pieces first. */
export async function shrink(servers: Servers, difference: Difference): Promise<Difference> {
  let best = difference
  let steps = best.steps.slice(0, best.at + 1)
  let tries = 0
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < steps.length && tries < SHRINK_TRIES_MAX;) {
      const shorter = [...steps.slice(0, from), ...steps.slice(from + size)]
      tries++
      const found = await compare(servers, shorter)
      if (found === null) from += size
      else {
        best = found
        steps = shorter.slice(0, found.at + 1)
      }
    }
  }
  return best
}

function firstDifference(
  steps: readonly Step[],
  theirs: Transcript,
  ours: Transcript,
): Difference | null {
  for (let at = 0; at <= steps.length; at++) {
    const [a, b] = [theirs[at] ?? [], ours[at] ?? []]
    if (a.join('\n') !== b.join('\n')) return { steps, at, theirs: a, ours: b }
  }
  return null
}
