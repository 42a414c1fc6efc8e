/** Quotas: two nodes per path under /zookeeper/quota, which the server counts in (C20, D52). */
import { decodeUtf8 } from '../../core/base/utf8.ts'
import { ErrorCode } from '../../core/jute/error-code.ts'
import { quotaValue, readQuota, writeQuota, type QuotaText } from '../../core/jute/quota-text.ts'
import { isZooKeeperError } from '../../client/errors.ts'
import { parseToday, usageError, type Command, type CommandContext } from '../command.ts'
import { IllegalArgumentError, parseInteger, type ParsedArgs } from '../parse.ts'

const ROOT = '/zookeeper/quota'
const LIMITS = 'zookeeper_limits'
const STATS = 'zookeeper_stats'
/** Java's long, as far as a number carries it. */
const BYTES = /^[+-]?\d{1,15}$/

/** Option letter → what it is called in the text of the node. */
const FIELDS = { n: 'count', b: 'bytes', N: 'countHardLimit', B: 'byteHardLimit' } as const
type Letter = keyof typeof FIELDS
const LETTERS: readonly Letter[] = ['n', 'b', 'N', 'B']
const NONE: QuotaText = new Map(Object.values(FIELDS).map((field) => [field, -1]))
/** 3.4 knew no hard limits and wrote none. */
const OLD_NONE: QuotaText = new Map([
  ['count', -1],
  ['bytes', -1],
])

export const setquota: Command = {
  name: 'setquota',
  usage: { today: '-n|-b|-N|-B val path', old: '-n|-b val path' },
  async run(context, words) {
    if (context.mode === '3.4') return setOld(context, words)
    const parsed = parseToday(setquota, { n: true, b: true, N: true, B: true }, words, 2)
    const letter = onlyOne(parsed)
    if (letter === null) throw usageError(setquota)
    const path = parsed.words[1] ?? ''
    if (path.startsWith(ROOT)) {
      return context.print(`cannot set a quota under the path: ${ROOT}`)
    }
    const value = valueOf(letter, parsed.value(letter) ?? '', context.print)
    if (value !== null) await write(context, path, new Map([[FIELDS[letter], value]]), NONE)
  },
}

export const listquota: Command = {
  name: 'listquota',
  usage: { today: 'path', old: 'path' },
  async run(context, words) {
    const path = words[1]
    if (path === undefined) {
      if (context.mode === '3.4') return
      throw usageError(listquota)
    }
    context.print(`absolute path is ${ROOT}${path}/${LIMITS}`)
    try {
      const limits = await textOf(context, `${ROOT}${path}/${LIMITS}`)
      context.print(`Output quota for ${path} ${shown(limits)}`)
      const stats = await textOf(context, `${ROOT}${path}/${STATS}`)
      context.print(`Output stat for ${path} ${shown(stats)}`)
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
      context.print(`quota for ${path} does not exist.`)
    }
  },
}

export const delquota: Command = {
  name: 'delquota',
  usage: { today: '[-n|-b|-N|-B] path', old: '[-n|-b] path' },
  async run(context, words) {
    const spec = { n: false, b: false, N: false, B: false }
    const parsed = parseToday(delquota, spec, words, 2)
    const path = parsed.words[1] ?? ''
    const limits = `${ROOT}${path}/${LIMITS}`
    const { client, call } = context
    if ((await client.exists(limits, call)) === null) {
      return context.print(`Quota does not exist for ${path}`)
    }
    if (!LETTERS.some((letter) => parsed.has(letter))) return remove(context, path)
    const letter = onlyOne(parsed)
    if (letter === null) throw usageError(delquota)
    const left = new Map([...(await textOf(context, limits)), [FIELDS[letter], -1]])
    await client.setData(limits, writeQuota(left), -1, call)
  },
}

/** Options of one group: two of them are none. */
function onlyOne(parsed: ParsedArgs): Letter | null {
  const given = LETTERS.filter((letter) => parsed.has(letter))
  return given.length === 1 ? (given[0] ?? null) : null
}

/** null: refused, with a line. */
function valueOf(letter: Letter, text: string, print: (line: string) => void): number | null {
  const isCount = letter === 'n' || letter === 'N'
  let value: number
  try {
    value = isCount ? parseInteger(text) : BYTES.test(text) ? Number(text) : NaN
  } catch {
    value = NaN
  }
  if (Number.isNaN(value)) {
    print('NumberFormatException happens when parsing the option value')
    return null
  }
  if (isCount ? value > 0 : value >= 0) return value
  print(
    isCount
      ? 'the num quota must be greater than zero'
      : 'the bytes quota must be greater than or equal to zero',
  )
  return null
}

async function setOld(context: CommandContext, words: readonly string[]): Promise<void> {
  const [, option = '', value = '', path] = words
  if (path === undefined) return
  context.print(`Comment: the parts are option ${option} val ${value} path ${path}`)
  if (option !== '-n' && option !== '-b') return
  const field = option === '-n' ? 'count' : 'bytes'
  await write(context, path, new Map([[field, parseInteger(value)]]), OLD_NONE)
}

/** What is set joins what was set before; a new pair of nodes begins with `base`. */
async function write(
  context: CommandContext,
  path: string,
  wanted: QuotaText,
  base: QuotaText,
): Promise<void> {
  const { client, call } = context
  if ((await client.exists(path, call)) === null) {
    throw new IllegalArgumentError(`${path} does not exist.`)
  }
  await refuseNested(context, path)
  const limits = `${ROOT}${path}/${LIMITS}`
  const stats = `${ROOT}${path}/${STATS}`
  const exists = (await client.exists(limits, call)) !== null
  if (exists) {
    const all = new Map([...(await textOf(context, limits)), ...wanted])
    warn(context, all, await textOf(context, stats))
    await client.setData(limits, writeQuota(all), -1, call)
    return
  }
  await makeParents(context, path)
  const all = new Map([...base, ...wanted])
  await client.create(limits, writeQuota(all), call)
  await client.create(stats, 'count=0,bytes=0', call)
  warn(context, all, await textOf(context, stats))
}

/** One quota on a way from the root to a leaf. */
async function refuseNested(context: CommandContext, path: string): Promise<void> {
  const parts = path.split('/').slice(1)
  for (let depth = 1; depth < parts.length; depth++) {
    const above = `/${parts.slice(0, depth).join('/')}`
    const names = await childrenOf(context, ROOT + above)
    if (names.length === 0) break
    if (names.includes(LIMITS)) {
      throw new IllegalArgumentError(`${path} has a parent ${above} which has a quota`)
    }
  }
  const below = await quotaBelow(context, ROOT + path)
  if (below !== null) {
    throw new IllegalArgumentError(`${path} has a child ${below} which has a quota`)
  }
}

async function quotaBelow(context: CommandContext, quotaPath: string): Promise<string | null> {
  for (const name of await childrenOf(context, quotaPath)) {
    if (name === LIMITS || name === STATS) continue
    const child = `${quotaPath}/${name}`
    if ((await childrenOf(context, child)).includes(LIMITS)) return child.slice(ROOT.length)
    const deeper = await quotaBelow(context, child)
    if (deeper !== null) return deeper
  }
  return null
}

async function makeParents({ client, call }: CommandContext, path: string): Promise<void> {
  let at = ROOT
  for (const part of path.split('/').slice(1)) {
    at += `/${part}`
    try {
      if ((await client.exists(at, call)) === null) await client.create(at, null, call)
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NODEEXISTS)) throw error
    }
  }
}

/** The nodes of a quota, and what above them nothing else needs. */
async function remove(context: CommandContext, path: string): Promise<void> {
  const { client, call } = context
  let at = ROOT + path
  for (const name of await childrenOf(context, at)) await client.delete(`${at}/${name}`, -1, call)
  while (at !== ROOT && (await client.getChildren(at, call)).length === 0) {
    await client.delete(at, -1, call)
    at = at.slice(0, at.lastIndexOf('/'))
  }
}

function warn(context: CommandContext, limits: QuotaText, stats: QuotaText): void {
  for (const [soft, hard, what] of [
    ['count', 'countHardLimit', 'count'],
    ['bytes', 'byteHardLimit', 'bytes'],
  ] as const) {
    const used = quotaValue(stats, soft)
    const isOver = [soft, hard].some((field) => {
      const limit = quotaValue(limits, field)
      return limit > -1 && limit < used
    })
    if (isOver) {
      context.print(
        `[Warning]: the ${what} quota you create is less than the existing ${what}:${used}`,
      )
    }
  }
}

async function textOf({ client, call }: CommandContext, path: string): Promise<QuotaText> {
  return readQuota((await client.getData(path, call)).data)
}

async function childrenOf(
  { client, call }: CommandContext,
  path: string,
): Promise<readonly string[]> {
  try {
    return await client.getChildren(path, call)
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NONODE)) return []
    throw error
  }
}

function shown(text: QuotaText): string {
  return decodeUtf8(writeQuota(text))
}
