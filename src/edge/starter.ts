/** What a server process and the one that started it say to each other over its channel. */
import process from 'node:process'

/** What a starter in another process waits for (`zabra server start`). */
export type StarterMessage = 'configured' | 'open'

const VARIABLE = 'ZABRA_ENDS_WITH_STARTER'

/** For the environment of a process that is of no use without its starter. */
export const ENDS_WITH_STARTER: Readonly<Record<string, string>> = { [VARIABLE]: '1' }

export function tellStarter(message: StarterMessage): void {
  // Once told of the open ports it goes its way, so the channel may be closed, or just closing.
  if (process.connected) process.send?.(message, () => undefined)
}

/** Calls back when the starter is gone, however it ended; never for one that goes its way. */
export function onStarterGone(run: () => void): void {
  if (process.env[VARIABLE] === undefined) return
  if (!process.connected) return run()
  process.once('disconnect', run)
  // The server keeps this process, and nothing does when it has ended.
  process.channel?.unref()
}
