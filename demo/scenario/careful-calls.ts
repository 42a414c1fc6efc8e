/**
 * Calls that go on over lost connections, each in the way that its meaning allows.
 *
 * ConnectionLoss says nothing of a write: it may have happened. A read, a create of something that
 * is the same whoever made it, and a delete of what nobody makes again may simply be repeated; an
 * ephemeral tells by its owner whose it is. All end when the session does, with SESSIONEXPIRED.
 */
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { ChangeBell } from './change-bell.ts'

/**
 * Repeats until there is an answer. It cannot spin: a call waits for the next connection, and after
 * the session's time-out it gets SESSIONEXPIRED.
 */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.CONNECTIONLOSS)) throw error
    }
  }
}

/** A persistent node that is there afterwards, whoever made it. False: it was there before. */
export async function createOnce(
  client: ZooKeeperClient,
  path: string,
  data: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await untilAnswered(() => client.create(path, data, { signal }))
    return true
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NODEEXISTS)) return false
    throw error
  }
}

/** A node that is gone afterwards. */
export async function deleteOnce(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await untilAnswered(() => client.delete(path, -1, { signal }))
  } catch (error) {
    if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
  }
}

/**
 * The session that owns the ephemeral afterwards: ours, also when the answer to an earlier attempt
 * was lost, or that of whoever came first.
 */
export async function createEphemeral(
  client: ZooKeeperClient,
  path: string,
  data: string,
  signal: AbortSignal,
): Promise<bigint> {
  const mode = CreateMode.EPHEMERAL
  for (;;) {
    try {
      await untilAnswered(() => client.create(path, data, { mode, signal }))
      return client.sessionId
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NODEEXISTS)) throw error
    }
    const stat = await untilAnswered(() => client.exists(path, { signal }))
    // It may have gone between the two calls: then there is nothing in our way.
    if (stat !== null) return stat.ephemeralOwner
  }
}

/** Waits, on a watch, until the node exists. */
export async function untilExists(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const bell = new ChangeBell()
  const look = (): Promise<unknown> => client.exists(path, { watch: bell.watcher, signal })
  while ((await untilAnswered(look)) === null) await bell.heard(signal)
}

/** Waits, on a watch, until the node is gone. */
export async function untilGone(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const bell = new ChangeBell()
  const look = (): Promise<unknown> => client.exists(path, { watch: bell.watcher, signal })
  while ((await untilAnswered(look)) !== null) await bell.heard(signal)
}
