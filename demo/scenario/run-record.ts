/**
 * The run of a scenario as znodes: begun by whoever presses the button, seen by all, ended whole.
 *
 * Beginning and clearing are one transaction each. So of two who press at once one wins, a tab that
 * dies in the middle leaves nothing half done, and any other tab can finish what it began.
 */
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import { MultiError, type Op } from '../../src/client/transaction.ts'
import type { Watcher } from '../../src/client/watched-event.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { untilAnswered } from './careful-calls.ts'
import { ChangeBell } from './change-bell.ts'
import { ASSIGN, MASTER, PACE, RUN, TABS, TASKS, WORKERS } from './scenario-paths.ts'

export interface RunRecord {
  /** Another for each run. */
  readonly run: string
  readonly state: 'running' | 'stopping'
  /** Once it is cleared, this run is to begin. */
  readonly next: string | null
}

export interface StoredRun {
  readonly record: RunRecord
  /** Of the znode: names this state of this run. */
  readonly version: number
  readonly czxid: bigint
}

export type StartResult =
  | { readonly kind: 'started' | 'running already' }
  /** These exist and are not of a scenario. */
  | { readonly kind: 'refused'; readonly paths: readonly string[] }

/** What the programs make, and what must not be there before. */
const PLAYGROUND: readonly string[] = [MASTER, WORKERS, TASKS, ASSIGN]
/** Tries against somebody who changes the tree at the same moment. Ours. */
const CLEAR_ATTEMPTS_MAX = 20

/** null when there is no run. */
export async function readRun(
  client: ZooKeeperClient,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<StoredRun | null> {
  for (;;) {
    // Tells of its creation as well, which getData would not.
    const stat = await untilAnswered(() => client.exists(RUN, { watch: watcher, signal }))
    if (stat === null) return null
    try {
      const { data, stat: at } = await untilAnswered(() => client.getData(RUN, { signal }))
      const record = parseRecord(data === null ? '' : decodeUtf8(data))
      return { record, version: at.version, czxid: at.czxid }
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
    }
  }
}

/** Whoever writes rubbish to /scenario by hand has a run that can only be cleared. */
export function parseRecord(text: string): RunRecord {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof RunRecord, unknown>> | null
    const { run, state, next } = value ?? {}
    if (typeof run === 'string' && (state === 'running' || state === 'stopping')) {
      return { run, state, next: typeof next === 'string' ? next : null }
    }
  } catch {
    // Not ours: handled as below.
  }
  return { run: '', state: 'stopping', next: null }
}

export async function startRun(
  client: ZooKeeperClient,
  run: string,
  pauseMs: number,
  signal: AbortSignal,
): Promise<StartResult> {
  // Made and taken back in the same transaction: it happens only where none of them exists.
  const reserve = PLAYGROUND.flatMap((path): Op[] => [
    { kind: 'create', path },
    { kind: 'delete', path },
  ])
  for (;;) {
    try {
      await client.multi([...beginning(run, pauseMs), ...reserve], { signal })
      return { kind: 'started' }
    } catch (error) {
      if (isZooKeeperError(error, ErrorCode.CONNECTIONLOSS)) {
        const found = await readRun(client, () => {}, signal)
        if (found === null) continue
        return { kind: found.record.run === run ? 'started' : 'running already' }
      }
      if (!(error instanceof MultiError) || error.code !== ErrorCode.NODEEXISTS) throw error
      if (error.path === RUN) return { kind: 'running already' }
    }
    const paths = await existing(client, signal)
    if (paths.length > 0) return { kind: 'refused', paths }
  }
}

/** All programs end, then the znodes go; with `next` another run begins in the same moment. */
export async function stopRun(
  client: ZooKeeperClient,
  next: string | null,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const found = await readRun(client, () => {}, signal)
    if (found === null || found.record.state === 'stopping') return
    const record: RunRecord = { run: found.record.run, state: 'stopping', next }
    try {
      await untilAnswered(() =>
        client.setData(RUN, JSON.stringify(record), found.version, { signal }),
      )
      return
    } catch (error) {
      // Somebody else did it, or we did and the answer was lost: the record tells.
      const isStale = isZooKeeperError(error, ErrorCode.BADVERSION)
      if (!isStale && !isZooKeeperError(error, ErrorCode.NONODE)) throw error
    }
  }
}

/**
 * Waits until no tab plays any more and removes all that the run has made, or what is left of it.
 * Every tab may call this at the same time; one of the transactions happens.
 */
export async function clearRun(
  client: ZooKeeperClient,
  stopping: StoredRun,
  pauseMs: number,
  signal: AbortSignal,
): Promise<void> {
  const bell = new ChangeBell()
  for (let attempt = 1; ; attempt++) {
    // First: with another record, the tabs below are those of another run.
    const found = await readRun(client, bell.watcher, signal)
    if (found?.czxid !== stopping.czxid || found.version !== stopping.version) return
    const tabs = await childrenOf(client, TABS, signal, bell.watcher)
    if (tabs !== null && tabs.length > 0) {
      await bell.heard(signal)
      continue
    }
    const paths: string[] = []
    for (const path of [...PLAYGROUND, RUN]) paths.push(...(await below(client, path, signal)))
    const foreign = await foreignMaster(client, signal)
    const ops = paths
      .filter((path) => !(path === MASTER && foreign))
      .map((path): Op => ({ kind: 'delete', path, ...versionOf(path, stopping) }))
    const { next } = stopping.record
    try {
      await client.multi([...ops, ...(next === null ? [] : beginning(next, pauseMs))], { signal })
      return
    } catch (error) {
      const isPassing = PASSING.some((code) => isZooKeeperError(error, code))
      if (!isPassing || attempt >= CLEAR_ATTEMPTS_MAX) throw error
    }
  }
}

/** Another has cleared it, added to it or the answer was lost: look again. */
const PASSING: readonly number[] = [
  ErrorCode.CONNECTIONLOSS,
  ErrorCode.NONODE,
  ErrorCode.NOTEMPTY,
  ErrorCode.BADVERSION,
]

function versionOf(path: string, stopping: StoredRun): { readonly version?: number } {
  return path === RUN ? { version: stopping.version } : {}
}

function beginning(run: string, pauseMs: number): Op[] {
  const record: RunRecord = { run, state: 'running', next: null }
  return [
    { kind: 'create', path: RUN, data: JSON.stringify(record) },
    { kind: 'create', path: PACE, data: String(pauseMs) },
    { kind: 'create', path: TABS, data: '' },
  ]
}

async function existing(client: ZooKeeperClient, signal: AbortSignal): Promise<string[]> {
  const found: string[] = []
  for (const path of PLAYGROUND) {
    const stat = await untilAnswered(() => client.exists(path, { signal }))
    if (stat !== null) found.push(path)
  }
  return found
}

/** After all tabs have left, only a terminal can hold /master: it is not ours to delete. */
async function foreignMaster(client: ZooKeeperClient, signal: AbortSignal): Promise<boolean> {
  const stat = await untilAnswered(() => client.exists(MASTER, { signal }))
  return stat !== null && stat.ephemeralOwner !== 0n
}

/** The node and all below it, children before their parent. */
async function below(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
): Promise<string[]> {
  const names = await childrenOf(client, path, signal)
  if (names === null) return []
  const found: string[] = []
  for (const name of names) found.push(...(await below(client, `${path}/${name}`, signal)))
  return [...found, path]
}

async function childrenOf(
  client: ZooKeeperClient,
  path: string,
  signal: AbortSignal,
  watch?: Watcher,
): Promise<readonly string[] | null> {
  try {
    return await untilAnswered(() => client.getChildren(path, { watch: watch ?? false, signal }))
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NONODE)) return null
    throw error
  }
}
