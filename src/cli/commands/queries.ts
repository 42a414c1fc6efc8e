/** Small questions to the server: about this session, and counts. */

import { parseToday, type Command } from '../command.ts'
import { listText } from '../format.ts'

export const getEphemerals: Command = {
  name: 'getEphemerals',
  usage: { today: 'path', old: null },
  async run(context, words) {
    const path = parseToday(getEphemerals, {}, words, 1).words[1]
    context.print(listText(await context.client.getEphemerals(path, context.call)))
  },
}

export const getAllChildrenNumber: Command = {
  name: 'getAllChildrenNumber',
  usage: { today: 'path', old: null },
  async run(context, words) {
    const path = parseToday(getAllChildrenNumber, {}, words, 2).words[1] ?? ''
    context.print(String(await context.client.getAllChildrenNumber(path, context.call)))
  },
}

export const whoami: Command = {
  name: 'whoami',
  usage: { today: '', old: null },
  async run(context) {
    const infos = await context.client.whoAmI(context.call)
    context.print('Auth scheme: User')
    for (const { authScheme, user } of infos) context.print(`${authScheme}: ${user}`)
  },
}
