import type { Command } from '../command.ts'
import { listText } from '../format.ts'

export const ls2: Command = {
  name: 'ls2',
  usage: { today: null, old: 'path [watch]' },
  async run(context, words) {
    const path = words[1]
    if (path === undefined) return
    const options = { ...context.call, watch: words.length > 2 }
    const { children, stat } = await context.client.getChildren2(path, options)
    context.print(listText(children))
    context.printStat(stat)
  },
}
