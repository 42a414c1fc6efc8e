import { parseToday, type Command } from '../command.ts'
import { aclLines } from '../format.ts'

export const getAcl: Command = {
  name: 'getAcl',
  usage: { today: '[-s] path', old: 'path' },
  async run(context, words) {
    const isOld = context.mode === '3.4'
    if (isOld && words.length < 2) return
    const parsed = isOld ? null : parseToday(getAcl, { s: false }, words, 2)
    const path = (parsed?.words ?? words)[1] ?? ''
    const { acl, stat } = await context.client.getACL(path, context.call)
    for (const line of aclLines(acl)) context.print(line)
    if (parsed?.has('s') === true) context.printStat(stat)
  },
}
