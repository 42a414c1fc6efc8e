/** Persistent watches, and the removal of watches. */

import { AddWatchMode, WatcherType } from '../../core/jute/event-type.ts'
import { parseToday, usageError, type Command } from '../command.ts'
import type { ParsedArgs } from '../parse.ts'

export const addWatch: Command = {
  name: 'addWatch',
  usage: {
    today:
      '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] ' +
      '- default is PERSISTENT_RECURSIVE',
    old: null,
  },
  async run(context, words) {
    const parsed = parseToday(addWatch, { m: true }, words, 2)
    if (parsed.words.length !== 2) throw usageError(addWatch)
    const mode = modeOf(parsed.value('m') ?? 'PERSISTENT_RECURSIVE')
    if (mode === null) throw usageError(addWatch)
    return context.client.addWatch(parsed.words[1] ?? '', mode, true, context.call)
  },
}

export const removewatches: Command = {
  name: 'removewatches',
  usage: { today: 'path [-c|-d|-a] [-l]', old: null },
  async run(context, words) {
    const spec = { c: false, d: false, p: false, r: false, a: false, l: false }
    const parsed = parseToday(removewatches, spec, words, 2)
    const options = { ...context.call, local: parsed.has('l') }
    return context.client.removeAllWatches(parsed.words[1] ?? '', typeOf(parsed), options)
  },
}

function modeOf(text: string): AddWatchMode | null {
  switch (text.toUpperCase()) {
    case 'PERSISTENT':
      return AddWatchMode.PERSISTENT
    case 'PERSISTENT_RECURSIVE':
      return AddWatchMode.PERSISTENT_RECURSIVE
    default:
      return null
  }
}

/** The first of these that is given counts. */
function typeOf(parsed: ParsedArgs): WatcherType {
  if (parsed.has('c')) return WatcherType.Children
  if (parsed.has('d')) return WatcherType.Data
  if (parsed.has('p')) return WatcherType.Persistent
  if (parsed.has('r')) return WatcherType.PersistentRecursive
  return WatcherType.Any
}
