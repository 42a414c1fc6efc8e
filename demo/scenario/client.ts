/**
 * The client: submits one task, waits for its status on a watch, and reads it.
 *
 * A sequential create must not be repeated blindly when its outcome is unknown: it would make a
 * second task. So the task is created in one transaction with a marker of a fixed name. If the
 * marker exists the task was submitted, and it is the one with the same czxid: a transaction has
 * one zxid. A client that starts again after a crash finds its task in the same way.
 */
import { decodeUtf8 } from '../../src/core/base/utf8.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import { MultiError } from '../../src/client/transaction.ts'
import { untilAnswered, untilExists } from './careful-calls.ts'
import { ChangeBell } from './change-bell.ts'
import type { Program } from './program.ts'
import { STATUS_NAME, SUBMITTED, TASKS, statusOf } from './scenario-paths.ts'

export interface ClientResult {
  /** `task-0000000000` */
  readonly task: string
  readonly status: string
}

/** Resolves when the task has a status; null when somebody deleted the task. */
export async function runClient(program: Program, command: string): Promise<ClientResult | null> {
  const task = await submit(program, command)
  if (task === null || !(await waitForStatus(program, task))) {
    program.stage.outcome('The task is gone: somebody has deleted it.')
    return null
  }
  const { client, stage, signal } = program
  await stage.step('NodeChildrenChanged: reads the status', statusOf(task))
  const { data } = await untilAnswered(() => client.getData(statusOf(task), { signal }))
  const status = data === null ? '' : decodeUtf8(data)
  stage.outcome(`The status of ${task} is “${status}”.`)
  return { task, status }
}

async function submit({ client, stage, signal }: Program, command: string): Promise<string | null> {
  const prefix = `${TASKS}/task-`
  const mode = CreateMode.PERSISTENT_SEQUENTIAL
  for (;;) {
    await stage.step(`submits “${command}”: creates a sequential node`, prefix)
    try {
      const [made] = await untilAnswered(() =>
        client.multi(
          [
            { kind: 'create', path: prefix, data: command, mode },
            { kind: 'create', path: SUBMITTED, data: '' },
          ],
          { signal },
        ),
      )
      if (made?.kind !== 'create') throw new Error('a create answers with a path')
      stage.outcome(`Created ${made.path}.`)
      return made.path.slice(TASKS.length + 1)
    } catch (error) {
      if (!(error instanceof MultiError)) throw error
      if (error.code === ErrorCode.NODEEXISTS) {
        const task = await findSubmitted({ client, signal })
        if (task !== null) stage.outcome(`It was submitted before: ${task}.`)
        return task
      }
      if (error.code !== ErrorCode.NONODE || error.path !== prefix) throw error
    }
    await stage.step(`waits for the master to make ${TASKS}`, TASKS)
    await untilExists(client, TASKS, signal)
  }
}

async function findSubmitted({
  client,
  signal,
}: Pick<Program, 'client' | 'signal'>): Promise<string | null> {
  const marker = await untilAnswered(() => client.exists(SUBMITTED, { signal }))
  for (const task of await untilAnswered(() => client.getChildren(TASKS, { signal }))) {
    const stat = await untilAnswered(() => client.exists(`${TASKS}/${task}`, { signal }))
    if (stat !== null && stat.czxid === marker?.czxid) return task
  }
  return null
}

/** False when the task is gone. */
async function waitForStatus(program: Program, task: string): Promise<boolean> {
  const { client, stage, signal } = program
  const bell = new ChangeBell()
  const path = `${TASKS}/${task}`
  await stage.step('watches its task and waits', path)
  for (;;) {
    try {
      const options = { watch: bell.watcher, signal }
      const names = await untilAnswered(() => client.getChildren(path, options))
      if (names.includes(STATUS_NAME)) return true
    } catch (error) {
      if (isZooKeeperError(error, ErrorCode.NONODE)) return false
      throw error
    }
    await bell.heard(signal)
  }
}
