import { ZooKeeperError } from '../../client/errors.ts'
import { ErrorCode } from '../../core/jute/error-code.ts'
import { parseWithOldWatch, type Command, type CommandContext } from '../command.ts'

export const stat: Command = {
  name: 'stat',
  usage: { today: '[-w] path', old: 'path [watch]' },
  async run(context, words) {
    if (context.mode === '3.4') {
      const path = words[1]
      return path === undefined ? undefined : show(context, path, words.length > 2)
    }
    const warning = "'stat path [watch]' has been deprecated. Please use 'stat [-w] path' instead."
    const parsed = parseWithOldWatch(stat, { w: false }, words, warning, context.print)
    return show(context, parsed.words[1] ?? '', parsed.has('w'))
  },
}

async function show(context: CommandContext, path: string, watch: boolean): Promise<void> {
  const found = await context.client.exists(path, { ...context.call, watch })
  if (found === null) throw new ZooKeeperError(ErrorCode.NONODE, { path })
  context.printStat(found)
}
