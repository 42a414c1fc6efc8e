import { encodeUtf8 } from '../../core/base/utf8.ts'
import { toBase64 } from '../../core/base/bytes.ts'
import { parseWithOldWatch, type Command } from '../command.ts'
import { dataText } from '../format.ts'
import { hexDump } from '../hex-dump.ts'

export const get: Command = {
  name: 'get',
  usage: { today: '[-s] [-w] [-b] [-x] path', old: 'path [watch]' },
  optionLines: [
    ' -b   Output data in base64 format',
    ' -s   Print znode stats additionally',
    ' -w   Watch for changes on the znode',
    ' -x   Output data in hexdump format',
  ],
  async run(context, words) {
    if (context.mode === '3.4') {
      const path = words[1]
      if (path === undefined) return
      const options = { ...context.call, watch: words.length > 2 }
      const old = await context.client.getData(path, options)
      context.print(dataText(old.data))
      return context.printStat(old.stat)
    }
    const spec = { s: false, w: false, b: false, x: false }
    const warning =
      "'get path [watch]' has been deprecated. Please use 'get [-s] [-w] path' instead."
    const parsed = parseWithOldWatch(get, spec, words, warning, context.print)
    const options = { ...context.call, watch: parsed.has('w') }
    const { data, stat } = await context.client.getData(parsed.words[1] ?? '', options)
    // The original formats the word "null" for no data, in base64 too.
    const bytes = data ?? encodeUtf8('null')
    if (parsed.has('x')) for (const line of hexDump(bytes)) context.print(line)
    else context.print(parsed.has('b') ? toBase64(bytes) : dataText(bytes))
    if (parsed.has('s')) context.printStat(stat)
  },
}
