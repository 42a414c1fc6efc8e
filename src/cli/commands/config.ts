/** The configuration of the ensemble, as its own text or as clients write it (C24). */
import { decodeUtf8 } from '../../core/base/utf8.ts'
import { parseToday, type Command } from '../command.ts'

const PATH = '/zookeeper/config'

export const config: Command = {
  name: 'config',
  usage: { today: '[-c] [-w] [-s]', old: null },
  async run(context, words) {
    const parsed = parseToday(config, { c: false, w: false, s: false }, words, 1)
    const options = { ...context.call, watch: parsed.has('w') }
    const { data, stat } = await context.client.getData(PATH, options)
    const text = data === null ? 'null' : decodeUtf8(data)
    context.print(parsed.has('c') ? clientConnectString(text) : text)
    if (parsed.has('s')) context.printStat(stat)
  },
}

/** The version, and where each member serves its clients. */
function clientConnectString(text: string): string {
  const entries = text.split('\n').map((line) => line.split('='))
  const version = entries.find(([key]) => key === 'version')?.[1] ?? ''
  const hosts = entries.flatMap(([key = '', value = '']) => {
    const client = value.split(';')[1]
    if (!key.startsWith('server.') || client === undefined) return []
    return [client.includes(':') ? client : `0.0.0.0:${client}`]
  })
  return `${version} ${hosts.join(',')}`
}
