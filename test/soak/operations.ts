/** What a client of the soak does: drawn here, done in its page. */
import type { ZooKeeperError } from '../../src/client/errors.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import type { PageKit } from '../../src/playwright/page/page-kit.ts'

/** Few of them, so that clients meet. */
const REGISTERS = 6
const NODES = 8
/** Sequential nodes that one session keeps. */
const QUEUED_MAX = 4
/** Asked for before the first answer. */
const TOGETHER_MAX = 4

export const ROOT = '/soak'
export const QUEUE: string = `${ROOT}/queue`
const LOCKS = `${ROOT}/locks`

export interface Operation {
  readonly kind:
    | 'make'
    | 'set'
    | 'raise'
    | 'delete'
    | 'get'
    | 'exists'
    | 'list'
    | 'sync'
    | 'change together'
    | 'swap'
  readonly path: string
  readonly data: string
  readonly mode: CreateMode
  readonly watch: boolean
  /** The other node of those that change two. */
  readonly other: string
}

/** What one request to a page came to. */
export interface Tally {
  readonly answered: number
  /** By a code of ZooKeeper's, as the state demands. */
  readonly refused: number
  /** The connection went: it may have happened. */
  readonly unanswered: number
  /** Sequential nodes that were made. */
  readonly queued: readonly string[]
  /** The session is over. */
  readonly isOver: boolean
}

/** Before all others; what is there already is no failure. */
export const FIRST: readonly (readonly Operation[])[] = [ROOT, QUEUE, LOCKS].map((path) => [
  operation('make', path),
])

/** Asked for together, answered in this order. */
export function drawTogether(
  prng: Prng,
  queued: readonly string[],
  word: () => string,
): readonly Operation[] {
  const count = 1 + prng.int(TOGETHER_MAX)
  return Array.from({ length: count }, () => drawOne(prng, queued, word()))
}

function drawOne(prng: Prng, queued: readonly string[], data: string): Operation {
  const register = `${ROOT}/register-${prng.int(REGISTERS)}`
  const node = `${ROOT}/node-${prng.int(NODES)}`
  const other = `${ROOT}/node-${prng.int(NODES)}`
  const lock = `${LOCKS}/lock-${prng.int(NODES)}`
  const watch = prng.bool(0.4)
  const path = prng.pick([register, node, lock])
  const { EPHEMERAL, EPHEMERAL_SEQUENTIAL } = CreateMode
  const oldest = queued[0]
  const isFull = queued.length >= QUEUED_MAX
  const choices: readonly (readonly [weight: number, one: Operation])[] = [
    [5, operation('set', register, { data })],
    [3, operation('make', register, { data })],
    [3, operation('raise', register, { data })],
    [3, operation('make', node, { data })],
    [3, operation('delete', node)],
    [3, operation('make', lock, { data, mode: EPHEMERAL })],
    [1, operation('delete', lock)],
    [isFull ? 0 : 3, operation('make', `${QUEUE}/item-`, { data, mode: EPHEMERAL_SEQUENTIAL })],
    [oldest === undefined ? 0 : isFull ? 4 : 1, operation('delete', oldest ?? '')],
    [6, operation('get', path, { watch })],
    [4, operation('exists', path, { watch })],
    [3, operation('list', prng.pick([ROOT, QUEUE, LOCKS]), { watch })],
    [2, operation('sync', ROOT)],
    [2, operation('change together', register, { data, other: node })],
    [2, operation('swap', node, { data, other })],
  ]
  let left = prng.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, one] of choices) {
    left -= weight
    if (left < 0) return one
  }
  return operation('sync', ROOT)
}

function operation(
  kind: Operation['kind'],
  path: string,
  rest: Partial<Operation> = {},
): Operation {
  const plain = { data: '', mode: CreateMode.PERSISTENT, watch: false, other: '' }
  return { kind, path, ...plain, ...rest }
}

/**
 * In the page: sent there as text, so it sees its arguments only, and no function in it may have a
 * name (bundlers mark those with a word that the page does not know).
 */
export async function carryOut(
  kit: PageKit,
  asked: {
    readonly key: string
    readonly steps: readonly (readonly Operation[])[]
    readonly pauseMs: number
  },
): Promise<Tally> {
  const client = kit.client(asked.key)
  const tally = { answered: 0, refused: 0, unanswered: 0 }
  const queued: string[] = []
  for (const together of asked.steps) {
    await Promise.all(
      together.map(async ({ kind, path, data, mode, watch, other }) => {
        try {
          if (kind === 'set') await client.setData(path, data)
          else if (kind === 'delete') await client.delete(path)
          else if (kind === 'get') await client.getData(path, { watch })
          else if (kind === 'exists') await client.exists(path, { watch })
          else if (kind === 'list') await client.getChildren(path, { watch })
          else if (kind === 'sync') await client.sync(path)
          else if (kind === 'make') {
            const made = await client.create(path, data, { mode })
            if (mode.isSequential) queued.push(made)
          } else if (kind === 'raise') {
            const { stat } = await client.getData(path)
            await client.setData(path, data, stat.version)
          } else if (kind === 'change together') {
            await client.transaction().setData(path, data).create(other, data).commit()
          } else {
            await client.transaction().check(path).delete(path).create(other, data).commit()
          }
          tally.answered++
        } catch (error) {
          const { code, outcomeUnknown } = error as Partial<ZooKeeperError>
          if (code === undefined) throw error
          if (outcomeUnknown === true) tally.unanswered++
          else tally.refused++
        }
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, asked.pauseMs))
  }
  return { ...tally, queued, isOver: client.state === 'CLOSED' }
}
