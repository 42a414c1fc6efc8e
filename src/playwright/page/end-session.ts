/** Ends a session over the ways of the page. */
import type { ClientTransport } from '../../client/transport.ts'
import { SessionEnd, type KnownSession } from '../../testing/session-end.ts'

const LIMIT_MS = 10_000

/** Rejects when no member could be reached, or went away before it answered. */
export async function endSession(transport: ClientTransport, session: KnownSession): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS)
  const hosts = transport.hosts()
  const host = hosts.find(({ isLocal }) => isLocal) ?? hosts[0]
  if (host === undefined) throw new Error('no member is in reach to end a session')
  const connection = await transport.connect(host, signal)
  const end = new SessionEnd(session, LIMIT_MS)
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      connection.onClose = (reason) => reject(new Error(`the session was not ended: ${reason}`))
      connection.onMessage = (bytes) => {
        const next = end.answer(bytes)
        if (next === null) resolve()
        else connection.send(next)
      }
      connection.send(end.hello)
    })
  } finally {
    connection.close('done')
  }
}
