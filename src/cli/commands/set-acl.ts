import { isZooKeeperError } from '../../client/errors.ts'
import { ErrorCode } from '../../core/jute/error-code.ts'
import type { Acl } from '../../core/jute/data-records.ts'
import { parseAcl } from '../acl-text.ts'
import { parseToday, type Command, type CommandContext } from '../command.ts'
import { errorLine } from '../format.ts'
import { parseInteger } from '../parse.ts'

export const setAcl: Command = {
  name: 'setAcl',
  usage: { today: '[-s] [-v version] [-R] path acl', old: 'path acl' },
  async run(context, words) {
    if (context.mode === '3.4') return runOld(context, words)
    const parsed = parseToday(setAcl, { s: false, v: true, R: false }, words, 3)
    const [, path = '', text = ''] = parsed.words
    const acl = parseAcl(text, context.print)
    const versionText = parsed.value('v')
    const version = versionText === undefined ? -1 : parseInteger(versionText)
    if (parsed.has('R')) return setBelow(context, path, acl, version)
    const stat = await context.client.setACL(path, acl, version, context.call)
    if (parsed.has('s')) context.printStat(stat)
  },
}

/** The original reads a version only where a fifth word stands behind it. */
async function runOld(context: CommandContext, words: readonly string[]): Promise<void> {
  const [, path, text, version] = words
  if (path === undefined || text === undefined) return
  const acl = parseAcl(text, context.print)
  const expected = words.length > 4 ? parseInteger(version ?? '') : -1
  context.printStat(await context.client.setACL(path, acl, expected, context.call))
}

/** What fails below the root is told, and the others go on. */
async function setBelow(
  context: CommandContext,
  root: string,
  acl: readonly Acl[],
  version: number,
): Promise<void> {
  await context.client.getData(root, context.call)
  const paths = [root]
  // The list grows while it is walked.
  for (const path of paths) {
    try {
      await context.client.setACL(path, acl, version, context.call)
    } catch (error) {
      context.print(errorLine(error, context.mode))
    }
    try {
      const names = [...(await context.client.getChildren(path, context.call))].sort()
      for (const name of names) paths.push(path === '/' ? `/${name}` : `${path}/${name}`)
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
    }
  }
}
