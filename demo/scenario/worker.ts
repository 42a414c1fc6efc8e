/**
 * A worker: an ephemeral under /workers says that it lives, a folder under /assign is its inbox.
 *
 * A task may be executed more than once: when a worker dies after the work and before it has said
 * so, another gets it. Its end is recorded exactly once: the status is created, never overwritten,
 * in one transaction with the removal of the assignment that entitles to it.
 */
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import { MultiError } from '../../src/client/transaction.ts'
import {
  createEphemeral,
  createOnce,
  deleteOnce,
  untilAnswered,
  untilExists,
  untilGone,
} from './careful-calls.ts'
import { ChangeBell } from './change-bell.ts'
import type { Program } from './program.ts'
import { ASSIGN, TASKS, WORKERS, assignmentOf, statusOf } from './scenario-paths.ts'

export interface WorkerProgram extends Program {
  /** The work. It may be done twice, so it must bear that. */
  readonly execute: (command: string) => Promise<void>
}

export async function runWorker(program: WorkerProgram): Promise<never> {
  /** Done by this program and perhaps not recorded: done once is enough. */
  const executed = new Set<string>()
  for (;;) {
    await register(program)
    await work(program, executed)
    program.stage.outcome('It is not registered any more.')
  }
}

async function register(program: WorkerProgram): Promise<void> {
  const { client, stage, name, signal } = program
  const path = `${WORKERS}/${name}`
  for (;;) {
    await stage.step('registers itself, as an ephemeral', path)
    const owner = await withFolder(program, WORKERS, () =>
      createEphemeral(client, path, `${name}:2224`, signal),
    )
    if (owner === client.sessionId) break
    // Our own former life. Its session may still be counted on to be dead, not to be ours.
    await stage.step('waits for its former session to expire', path)
    await untilGone(client, path, signal)
  }
  const inbox = `${ASSIGN}/${name}`
  await stage.step('creates its inbox and watches it', inbox)
  await withFolder(program, ASSIGN, () => createOnce(client, inbox, '', signal))
}

/** Repeats the call until the folder exists that the master makes. */
async function withFolder<T>(
  { client, stage, signal }: WorkerProgram,
  folder: string,
  call: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isZooKeeperError(error, ErrorCode.NONODE)) throw error
    }
    await stage.step(`waits for the master to make ${folder}`, folder)
    await untilExists(client, folder, signal)
  }
}

/** Until somebody removes the registration or the inbox by hand. */
async function work(program: WorkerProgram, executed: Set<string>): Promise<void> {
  const { client, stage, name, signal } = program
  const bell = new ChangeBell()
  const watched = { watch: bell.watcher, signal }
  let isWaiting = false
  for (;;) {
    const own = await untilAnswered(() => client.exists(`${WORKERS}/${name}`, watched))
    if (own?.ephemeralOwner !== client.sessionId) return
    const inbox = `${ASSIGN}/${name}`
    const tasks = await orMissing(untilAnswered(() => client.getChildren(inbox, watched)))
    if (tasks === null) return
    const task = [...tasks].sort()[0]
    if (task !== undefined) {
      isWaiting = false
      await perform(program, task, executed)
      continue
    }
    if (!isWaiting) await stage.step('waits for a task', inbox)
    isWaiting = true
    await bell.heard(signal)
  }
}

async function perform(program: WorkerProgram, task: string, executed: Set<string>): Promise<void> {
  const { client, stage, name, signal } = program
  const path = `${TASKS}/${task}`
  const assignment = assignmentOf(name, task)
  await stage.step(`was assigned ${task}: reads it`, path)
  const read = await orMissing(untilAnswered(() => client.getData(path, { signal })))
  const status = await untilAnswered(() => client.exists(statusOf(task), { signal }))
  if (read === null || status !== null) {
    stage.outcome(read === null ? 'The task was withdrawn.' : 'It is done already.')
    return deleteOnce(client, assignment, signal)
  }
  if (!executed.has(task)) {
    const command = read.data === null ? '' : decodeUtf8(read.data)
    await stage.step(`executes “${command}”`, path)
    await program.execute(command)
    executed.add(task)
  }
  await stage.step('creates the status “done” and leaves the assignment', statusOf(task))
  await record(program, task)
}

async function record({ client, stage, name, signal }: WorkerProgram, task: string): Promise<void> {
  try {
    await client.multi(
      [
        { kind: 'create', path: statusOf(task), data: 'done' },
        { kind: 'delete', path: assignmentOf(name, task) },
      ],
      { signal },
    )
  } catch (error) {
    // Unknown outcome: the inbox tells. If the assignment is gone, so is our duty.
    if (isZooKeeperError(error, ErrorCode.CONNECTIONLOSS)) return
    if (!(error instanceof MultiError)) throw error
    if (error.code === ErrorCode.NODEEXISTS) {
      stage.outcome('Somebody was faster: it is done already.')
      return deleteOnce(client, assignmentOf(name, task), signal)
    }
    if (error.code !== ErrorCode.NONODE) throw error
    stage.outcome('The assignment was taken back.')
  }
}

async function orMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NONODE)) return null
    throw error
  }
}
