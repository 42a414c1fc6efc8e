/** What a master should do next, from what it saw. Pure: every case is a line of a table. */

export interface Assignment {
  readonly worker: string
  readonly task: string
}

export interface Scene {
  /** Alive: their ephemerals exist. */
  readonly workers: readonly string[]
  readonly tasks: readonly string[]
  /** Children of /assign. */
  readonly folders: readonly string[]
  readonly assignments: readonly Assignment[]
  /** Tasks that have a status. */
  readonly done: readonly string[]
}

export type Move =
  /** The assignment has no sense any more. */
  | { readonly kind: 'forget'; readonly task: string; readonly worker: string }
  | {
      readonly kind: 'assign'
      readonly task: string
      readonly to: string
      /** The dead worker that had it; null when nobody did. */
      readonly worker: string | null
      /** The worker has registered, but not made its folder yet. */
      readonly needsFolder: boolean
    }

/** One move at a time; null when all is as it should be. */
export function nextMove(scene: Scene): Move | null {
  const { workers, tasks, assignments, done } = scene
  const isOpen = (task: string): boolean => tasks.includes(task) && !done.includes(task)
  for (const { worker, task } of assignments) {
    if (!isOpen(task)) return { kind: 'forget', task, worker }
  }
  const to = leastBusy(scene)
  if (to === undefined) return null
  const needsFolder = !scene.folders.includes(to)
  const orphan = assignments.find(({ worker }) => !workers.includes(worker))
  if (orphan !== undefined) {
    const { task, worker } = orphan
    // A live worker that has it as well, from a master before, makes the orphan superfluous.
    const isDouble = assignments.some((one) => one.task === task && workers.includes(one.worker))
    if (isDouble) return { kind: 'forget', task, worker }
    return { kind: 'assign', task, to, worker, needsFolder }
  }
  const task = [...tasks].sort().find((one) => isOpen(one) && !assignments.some(isOf(one)))
  return task === undefined ? null : { kind: 'assign', task, to, worker: null, needsFolder }
}

function isOf(task: string): (assignment: Assignment) => boolean {
  return (assignment) => assignment.task === task
}

function leastBusy({ workers, assignments }: Scene): string | undefined {
  const load = (worker: string): number =>
    assignments.filter((assignment) => assignment.worker === worker).length
  return [...workers].sort((a, b) => load(a) - load(b) || (a < b ? -1 : 1))[0]
}
