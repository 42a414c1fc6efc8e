/** Ends a session over the ways of the page. */
import type { ClientTransport } from '../../client/transport.ts'
import { messageOf } from '../../core/base/message-of.ts'
import { SessionEnd, type KnownSession } from '../../testing/session-end.ts'

const LIMIT_MS = 10_000
/** Between attempts, so that nothing spins while no member is in reach. */
const PAUSE_MS = 10

/**
 * Tries again when the connection is lost: the client whose session it is comes back at once, and
 * takes it back when it is faster. Rejects with the last reason after `limitMs`.
 */
export async function endSession(
  transport: ClientTransport,
  session: KnownSession,
  limitMs: number = LIMIT_MS,
): Promise<void> {
  const signal = AbortSignal.timeout(limitMs)
  let last = 'no member is in reach'
  while (!signal.aborted) {
    try {
      const loss = await endOnce(transport, session, signal)
      if (loss === null) return
      last = loss
    } catch (error) {
      if (signal.aborted) break
      last = messageOf(error)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  throw new Error(`the session was not ended: ${last}`)
}

/** null: it is over; else why the connection closed. */
async function endOnce(
  transport: ClientTransport,
  session: KnownSession,
  signal: AbortSignal,
): Promise<string | null> {
  const hosts = transport.hosts()
  const host = hosts.find(({ isLocal }) => isLocal) ?? hosts[0]
  if (host === undefined) return 'no member is in reach'
  const connection = await transport.connect(host, signal)
  const end = new SessionEnd(session, LIMIT_MS)
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      connection.onClose = resolve
      connection.onMessage = (bytes) => {
        const next = end.answer(bytes)
        if (next === null) resolve(null)
        else connection.send(next)
      }
      connection.send(end.hello)
    })
  } finally {
    connection.close('done')
  }
}
