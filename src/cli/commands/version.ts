import { parseToday, usageError, type Command } from '../command.ts'

/** Whose commands and outputs these are. */
const VERSION = '3.9 (zabra)'

export const version: Command = {
  name: 'version',
  usage: { today: '', old: null },
  async run(context, words) {
    if (parseToday(version, {}, words, 1).words.length > 1) throw usageError(version)
    context.print(`ZooKeeper CLI version: ${VERSION}`)
  },
}
