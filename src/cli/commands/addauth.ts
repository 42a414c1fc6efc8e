import { parseToday, usageError, type Command } from '../command.ts'

export const addauth: Command = {
  name: 'addauth',
  usage: { today: 'scheme auth', old: 'scheme auth' },
  async run(context, words) {
    const isOld = context.mode === '3.4'
    if (isOld && words.length < 2) return
    const rest = isOld ? words : parseToday(addauth, {}, words, 2).words
    const [, scheme, auth = null] = rest
    if (scheme === undefined) throw usageError(addauth)
    // Nobody waits for the answer: a refusal comes as the event AuthFailed (S34).
    context.client.addAuthInfo(scheme, auth).catch(() => {})
  },
}
