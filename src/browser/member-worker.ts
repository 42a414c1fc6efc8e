/** The worker of a machine. Bundlers find it by this very expression. */
export function startMemberWorker(): Worker {
  return new Worker(new URL('../../worker/member.worker.ts', import.meta.url), {
    type: 'module',
    name: 'zabra member',
  })
}
