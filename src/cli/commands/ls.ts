import type { ZooKeeperClient } from '../../client/zookeeper-client.ts'
import { isZooKeeperError } from '../../client/errors.ts'
import { ErrorCode } from '../../core/jute/error-code.ts'
import { parseWithOldWatch, usageError, type Command, type CommandContext } from '../command.ts'
import { listText } from '../format.ts'
import { parseOptions } from '../parse.ts'

export const ls: Command = {
  name: 'ls',
  usage: { today: '[-s] [-w] [-R] path', old: 'path [watch]' },
  async run(context, words) {
    if (context.mode === '3.4') return runOld(context, words)
    const spec = { '?': false, s: false, w: false, R: false }
    if (parseOptions(spec, words).words.length < 2) throw usageError(ls)
    const warning = "'ls path [watch]' has been deprecated. Please use 'ls [-w] path' instead."
    const parsed = parseWithOldWatch(ls, spec, words, warning, context.print)
    const path = parsed.words[1] ?? ''
    const options = { ...context.call, watch: parsed.has('w') }
    if (parsed.has('R')) return listBelow(context, path, options)
    const { children, stat } = await context.client.getChildren2(path, options)
    context.print(listText([...children].sort()))
    if (parsed.has('s')) context.printStat(stat)
  },
}

async function runOld(context: CommandContext, words: readonly string[]): Promise<void> {
  const path = words[1]
  if (path === undefined) return
  // Any third word means watch, also `false` (C34).
  const options = { ...context.call, watch: words.length > 2 }
  context.print(listText(await context.client.getChildren(path, options)))
}

type ReadOptions = NonNullable<Parameters<ZooKeeperClient['getChildren']>[1]>

/** One path per line: a node, its children, then what is below each of them. */
async function listBelow(
  context: CommandContext,
  root: string,
  options: ReadOptions,
): Promise<void> {
  await context.client.getData(root, options)
  context.print(root)
  const stack = [root]
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const children = await childrenOf(context, path, options)
    for (const child of children) context.print(child)
    stack.push(...children.reverse())
  }
}

/** Nodes that vanish meanwhile are passed over. */
async function childrenOf(
  context: CommandContext,
  path: string,
  options: ReadOptions,
): Promise<string[]> {
  try {
    const names = await context.client.getChildren(path, options)
    return [...names].sort().map((name) => (path === '/' ? `/${name}` : `${path}/${name}`))
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NONODE)) return []
    throw error
  }
}
