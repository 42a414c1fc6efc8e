/// <reference lib="webworker" />
/**
 * The Web Worker of one machine for tests: the same, and whoever made it can hurt its links and its
 * storage. No page uses it unless it is told to.
 */
import * as Comlink from 'comlink'
import { FAULT_PORT, type FaultGreeting } from '../src/faults/member-faults.ts'
import { FaultyMemberWorker } from './faulty-member-worker.ts'

const member = new FaultyMemberWorker({
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
})

// Before comlink's own listener, which must not see it.
addEventListener('message', (event: MessageEvent<unknown>) => {
  const data = event.data as { readonly [FAULT_PORT]?: FaultGreeting } | null
  const greeting = data?.[FAULT_PORT]
  if (greeting === undefined) return
  event.stopImmediatePropagation()
  member.expectFaults(greeting.seed)
  Comlink.expose(member.control, greeting.port)
})
Comlink.expose(member)
