/** The znodes of the scenario. The first four are the seed's own; the rest only runs the show. */
export const MASTER = '/master'
export const WORKERS = '/workers'
export const TASKS = '/tasks'
export const ASSIGN = '/assign'

/** The run: its record as data, and under it what ends with it. */
export const RUN = '/scenario'
/** Pause between steps, in ms, as text: moved in one tab, heard in all. */
export const PACE = '/scenario/pace'
/** One ephemeral per tab that takes part: who is on stage, and what a clean-up waits for. */
export const TABS = '/scenario/tabs'
/** Made in one transaction with the task, so the client finds its task again (client.ts). */
export const SUBMITTED = '/scenario/submitted'
/** What the client saw at the end. */
export const FINISHED = '/scenario/finished'

export const STATUS_NAME = 'status'

export function statusOf(task: string): string {
  return `${TASKS}/${task}/${STATUS_NAME}`
}

export function assignmentOf(worker: string, task: string): string {
  return `${ASSIGN}/${worker}/${task}`
}
