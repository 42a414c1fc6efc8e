/** Changes who the members are (C25), where a server lets one. */
import { decodeUtf8 } from '../../core/base/utf8.ts'
import { usageError, type Command } from '../command.ts'
import { CommandError, splitOptionWords } from '../parse.ts'

const OPTIONS = { s: false, v: true, file: true, members: true, add: true, remove: true } as const

export const reconfig: Command = {
  name: 'reconfig',
  usage: {
    today:
      '[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | ' +
      '[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
    old: null,
  },
  async run(context, words) {
    const { has, value } = splitOptionWords(OPTIONS, words)
    const isWhole = has('file') || has('members')
    const isStepwise = has('add') || has('remove')
    if (!isWhole && !isStepwise) throw usageError(reconfig)
    const version = value('v') === undefined ? -1n : versionOf(value('v') ?? '')
    if (isWhole && isStepwise) {
      const why = '(mixing incremental and non-incremental modes is not allowed)'
      throw new CommandError(`Can't use -file or -members together with -add or -remove ${why}`)
    }
    if (has('file') && has('members')) {
      const why = '(conflicting non-incremental modes)'
      throw new CommandError(`Can't use -file and -members together ${why}`)
    }
    const path = value('file')
    const { data, stat } = await context.client.reconfigure(
      {
        joiningServers: value('add')?.toLowerCase() ?? null,
        leavingServers: value('remove')?.toLowerCase() ?? null,
        newMembers:
          path === undefined
            ? (value('members')?.toLowerCase() ?? null)
            : await membersIn(path, context.readText),
        curConfigId: version,
      },
      context.call,
    )
    context.print(`Committed new configuration:\n${data === null ? 'null' : decodeUtf8(data)}`)
    if (has('s')) context.printStat(stat)
  },
}

function versionOf(text: string): bigint {
  if (/^[0-9a-f]{1,16}$/i.test(text)) return BigInt.asIntN(64, BigInt(`0x${text}`))
  throw new CommandError('-v must be followed by a long (configuration version)')
}

/** The server lines of a configuration file. */
async function membersIn(
  path: string,
  readText: ((path: string) => Promise<string>) | undefined,
): Promise<string> {
  try {
    if (readText === undefined) throw new Error(': a page reads no files')
    const lines = (await readText(path)).split('\n').map((line) => line.trim())
    return lines.filter((line) => /^(server|group|weight)\./.test(line)).join('\n')
  } catch (error) {
    throw new CommandError(`Error processing ${path}${error instanceof Error ? error.message : ''}`)
  }
}
