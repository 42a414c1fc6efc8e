import { fromBase64 } from '../../core/base/bytes.ts'
import { parseToday, type Command, type CommandContext } from '../command.ts'
import { CommandError, parseInteger } from '../parse.ts'

export const set: Command = {
  name: 'set',
  usage: { today: 'path data [-s] [-v version] [-b]', old: 'path data [version]' },
  optionLines: [
    ' -b         Supply data in base64 format',
    ' -s         Print znode stats additionally',
    ' -v <arg>   Set with an expected version',
  ],
  async run(context, words) {
    if (context.mode === '3.4') return runOld(context, words)
    const parsed = parseToday(set, { s: false, v: true, b: false }, words, 3)
    const [, path = '', text = ''] = parsed.words
    const version = parsed.value('v')
    const stat = await context.client.setData(
      path,
      parsed.has('b') ? fromBase64Text(text) : text,
      version === undefined ? -1 : parseInteger(version),
      context.call,
    )
    if (parsed.has('s')) context.printStat(stat)
  },
}

async function runOld(context: CommandContext, words: readonly string[]): Promise<void> {
  const [, path, data, version] = words
  if (path === undefined || data === undefined) return
  const expected = version === undefined ? -1 : parseInteger(version)
  context.printStat(await context.client.setData(path, data, expected, context.call))
}

function fromBase64Text(text: string): Uint8Array {
  const bytes = fromBase64(text)
  if (bytes === null) throw new CommandError('Data is not in base64 format')
  return bytes
}
