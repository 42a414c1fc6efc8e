import { isZooKeeperError } from '../../client/errors.ts'
import { CreateMode } from '../../core/jute/create-mode.ts'
import { ErrorCode } from '../../core/jute/error-code.ts'
import { OPEN_ACL_UNSAFE } from '../../core/jute/perms.ts'
import { parseAcl } from '../acl-text.ts'
import { parseToday, type Command, type CommandContext } from '../command.ts'
import { CommandError, type ParsedArgs } from '../parse.ts'

/** 40 bits of ms (D8). */
const TTL_MAX_MS = 0xff_ffff_ffff

export const create: Command = {
  name: 'create',
  usage: { today: '[-s] [-e] [-c] [-t ttl] path [data] [acl]', old: '[-s] [-e] path data acl' },
  async run(context, words) {
    if (context.mode === '3.4') return runOld(context, words)
    const spec = { e: false, s: false, c: false, t: true }
    const parsed = parseToday(create, spec, words, 2)
    checkCombination(parsed)
    const ttlMs = ttlOf(parsed)
    const [, path = '', data = null, aclText] = parsed.words
    const acl = aclText === undefined ? OPEN_ACL_UNSAFE : parseAcl(aclText, context.print)
    const options = { ...context.call, mode: modeOf(parsed), acl, ttlMs }
    try {
      context.print(`Created ${await context.client.create(path, data, options)}`)
    } catch (error) {
      if (isZooKeeperError(error, ErrorCode.INVALIDACL)) context.print(error.message)
      if (isZooKeeperError(error, ErrorCode.EPHEMERALONLOCALSESSION)) {
        context.print('Unable to create ephemeral node on a local session')
      }
      throw error
    }
  },
}

async function runOld(context: CommandContext, words: readonly string[]): Promise<void> {
  if (words.length < 3) return
  const flags = new Set<string>()
  let first = 1
  // At most one -s and one -e, in either order, and only in front.
  while (
    first <= 2 &&
    ['-s', '-e'].includes(words[first] ?? '') &&
    !flags.has(words[first] ?? '')
  ) {
    flags.add(words[first] ?? '')
    first++
  }
  const [path = '', data, aclText] = words.slice(first)
  if (data === undefined) throw new CommandError(`create ${create.usage.old ?? ''}`)
  const isWhole = words.length === first + 3
  const acl = isWhole && aclText !== undefined ? parseAcl(aclText, context.print) : OPEN_ACL_UNSAFE
  const mode = sequentialOrNot(flags.has('-e'), flags.has('-s'))
  const created = await context.client.create(path, data, { ...context.call, mode, acl })
  context.print(`Created ${created}`)
}

function checkCombination(parsed: ParsedArgs): void {
  if (parsed.has('c') && (parsed.has('e') || parsed.has('s'))) {
    throw new CommandError(
      '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
    )
  }
  if (!parsed.has('t')) return
  if (parsed.has('e')) throw new CommandError('TTLs cannot be used with Ephemeral znodes')
  if (parsed.has('c')) throw new CommandError('TTLs cannot be used with Container znodes')
}

function ttlOf(parsed: ParsedArgs): number {
  const text = parsed.value('t')
  if (text === undefined) return 0
  if (!/^[+-]?\d+$/.test(text)) throw new CommandError('-t argument must be a long value')
  const ttlMs = Number(text)
  if (ttlMs > 0 && ttlMs <= TTL_MAX_MS) return ttlMs
  throw new CommandError(`ttl must be positive and cannot be larger than: ${TTL_MAX_MS}`)
}

function modeOf(parsed: ParsedArgs): CreateMode {
  if (parsed.has('c')) return CreateMode.CONTAINER
  if (!parsed.has('t')) return sequentialOrNot(parsed.has('e'), parsed.has('s'))
  return parsed.has('s')
    ? CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL
    : CreateMode.PERSISTENT_WITH_TTL
}

function sequentialOrNot(isEphemeral: boolean, isSequential: boolean): CreateMode {
  if (isEphemeral) return isSequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL
  return isSequential ? CreateMode.PERSISTENT_SEQUENTIAL : CreateMode.PERSISTENT
}
