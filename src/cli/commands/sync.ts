import { InvalidPathError, isZooKeeperError } from '../../client/errors.ts'
import { parseToday, type Command, type CommandContext } from '../command.ts'

/** SYNC_TIMEOUT of the original. */
const SYNC_TIMEOUT_MS = 30_000

export const sync: Command = {
  name: 'sync',
  usage: { today: 'path', old: 'path' },
  async run(context, words) {
    if (context.mode === '3.4') {
      const path = words[1]
      if (path === undefined) return
      // The prompt comes first, the answer when it is there.
      const returned = codeOf(context, path).then((code) => context.print(`Sync returned ${code}`))
      return context.background(returned)
    }
    const parsed = parseToday(sync, {}, words, 2)
    const code = await codeOf(context, parsed.words[1] ?? '')
    context.print(code === 0 ? 'Sync is OK' : `Sync has failed. rc=${code}`)
  },
}

async function codeOf(context: CommandContext, path: string): Promise<number> {
  try {
    await context.client.sync(path, { ...context.call, timeoutMs: SYNC_TIMEOUT_MS })
    return 0
  } catch (error) {
    if (isZooKeeperError(error) && !(error instanceof InvalidPathError)) return error.code
    throw error
  }
}
