import { parseToday, type Command, type CommandContext } from '../command.ts'
import { CommandError, parseInteger } from '../parse.ts'

/** Deletes per multi, and multis at a time, as ZKUtil's. */
const BATCH_SIZE = 1000
const BATCHES_IN_FLIGHT = 10

export const deleteall: Command = {
  name: 'deleteall',
  usage: { today: 'path [-b batch size]', old: null },
  async run(context, words) {
    const parsed = parseToday(deleteall, { b: true }, words, 2)
    const batchSize = batchSizeOf(parsed.value('b'))
    const paths = (await listBreadthFirst(context, parsed.words[1] ?? '')).reverse()
    if (batchSize <= 0) return deleteOneByOne(context, paths)
    if (await deleteInBatches(context, paths, batchSize)) return
    context.print('Failed to delete some node(s) in the subtree!')
  },
}

export const rmr: Command = {
  name: 'rmr',
  usage: { today: null, old: 'path' },
  async run(context, words) {
    const path = words[1]
    if (path === undefined) return
    return deleteOneByOne(context, (await listBreadthFirst(context, path)).reverse())
  },
}

function batchSizeOf(text: string | undefined): number {
  if (text === undefined) return BATCH_SIZE
  try {
    return parseInteger(text)
  } catch {
    throw new CommandError('-b argument must be an int value')
  }
}

/** Parents before children. Not a snapshot: others may write meanwhile. */
async function listBreadthFirst(context: CommandContext, root: string): Promise<string[]> {
  const paths = [root]
  // The list grows while it is walked.
  for (const path of paths) {
    const names = await context.client.getChildren(path, context.call)
    for (const name of names) paths.push(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  return paths
}

async function deleteOneByOne(context: CommandContext, paths: readonly string[]): Promise<void> {
  for (const path of paths) await context.client.delete(path, -1, context.call)
}

/** Children first; the batches keep their order, so parents go last. false: one of them failed. */
async function deleteInBatches(
  context: CommandContext,
  paths: readonly string[],
  batchSize: number,
): Promise<boolean> {
  let isGood = true
  const inFlight: Promise<void>[] = []
  for (let at = 0; at < paths.length; at += batchSize) {
    if (!isGood) break
    const ops = paths
      .slice(at, at + batchSize)
      .map((path) => ({ kind: 'delete', path, version: -1 }) as const)
    inFlight.push(
      context.client.multi(ops, context.call).then(
        () => {},
        () => {
          isGood = false
        },
      ),
    )
    if (inFlight.length >= BATCHES_IN_FLIGHT) await inFlight.shift()
  }
  await Promise.all(inFlight)
  return isGood
}
