/**
 * A turn of the event loop that lets every microtask run first. Taken from the platform when this
 * module is loaded, so that fake timers of a test runner cannot stop virtual time.
 */

/** Runs `call` in a task of its own. A pending one keeps a process alive. */
export type NextTask = (call: () => void) => void

export const nextTask: NextTask = chooseNextTask()

function chooseNextTask(): NextTask {
  const immediate: unknown = Reflect.get(globalThis, 'setImmediate')
  // Fake timers were installed before us: they mark what they replace.
  if (typeof immediate !== 'function' || 'clock' in immediate) return viaChannel()
  return (call) => void Reflect.apply(immediate, globalThis, [call])
}

function viaChannel(): NextTask {
  const calls: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', () => {
    const call = calls.shift()
    if (calls.length === 0) keepsAlive(port1, 'unref')
    call?.()
  })
  port1.start()
  keepsAlive(port1, 'unref')
  return (call) => {
    if (calls.push(call) === 1) keepsAlive(port1, 'ref')
    port2.postMessage(null)
  }
}

/** Node counts an open port as something to wait for; pages know no such thing. */
function keepsAlive(port: MessagePort, how: 'ref' | 'unref'): void {
  const set: unknown = Reflect.get(port, how)
  if (typeof set === 'function') Reflect.apply(set, port, [])
}
