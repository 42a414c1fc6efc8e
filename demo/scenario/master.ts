/**
 * The master, and its backup: the same program. Whoever makes /master is the master; the other
 * watches it and tries again when it is gone.
 *
 * It keeps nothing in memory that it could not read again. Each round reads everything, makes at
 * most one move and looks anew, so a master that took over in the middle of any step goes on where
 * the former one stopped.
 */
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { formatSessionId } from '../../src/core/base/zxid.ts'
import { isZooKeeperError } from '../../src/client/errors.ts'
import type { Op } from '../../src/client/transaction.ts'
import {
  createEphemeral,
  createOnce,
  deleteOnce,
  untilAnswered,
  untilGone,
} from './careful-calls.ts'
import { ChangeBell } from './change-bell.ts'
import { nextMove, type Assignment, type Move, type Scene } from './master-moves.ts'
import type { Program } from './program.ts'
import { ASSIGN, MASTER, STATUS_NAME, TASKS, WORKERS, assignmentOf } from './scenario-paths.ts'

export async function runMaster(program: Program): Promise<never> {
  for (;;) {
    await becomeMaster(program)
    await setUp(program)
    await lead(program)
    program.stage.outcome('It is not the master any more.')
  }
}

async function becomeMaster({ client, stage, name, signal }: Program): Promise<void> {
  for (;;) {
    await stage.step(`creates ${MASTER}, as an ephemeral`, MASTER)
    const owner = await createEphemeral(client, MASTER, name, signal)
    if (owner === client.sessionId) {
      // All that a former master wrote came before its /master went, and that before ours was made:
      // the server that answered has it, so what we read from now on is no older (no sync needed).
      return stage.outcome('It is the master.')
    }
    stage.outcome(`It exists already, of session ${formatSessionId(owner)}.`)
    await stage.step('is the backup: watches the master', MASTER)
    await untilGone(client, MASTER, signal)
    stage.outcome('NodeDeleted: the master is gone.')
  }
}

async function setUp({ client, stage, signal }: Program): Promise<void> {
  for (const path of [WORKERS, TASKS, ASSIGN]) {
    await stage.step(`creates ${path}`, path)
    const isNew = await createOnce(client, path, '', signal)
    if (!isNew) stage.outcome('It is there already.')
  }
}

/** Until /master is not ours: somebody deleted it by hand. A session's end rejects instead. */
async function lead(program: Program): Promise<void> {
  const { client, stage, signal } = program
  const bell = new ChangeBell()
  await stage.step(`watches ${WORKERS} and ${TASKS}`, TASKS)
  let waiting = ''
  for (;;) {
    const owner = await untilAnswered(() => client.exists(MASTER, { watch: bell.watcher, signal }))
    if (owner?.ephemeralOwner !== client.sessionId) return
    const scene = await look(program, bell)
    if (scene === null) {
      await setUp(program)
      continue
    }
    const move = nextMove(scene)
    if (move !== null) {
      waiting = ''
      await make(program, move)
      continue
    }
    const reason = waitingFor(scene)
    if (reason !== waiting) await stage.step(reason, scene.workers.length === 0 ? WORKERS : TASKS)
    waiting = reason
    // Disconnected rings too, and then the reads above wait: out of touch, a master does nothing.
    await bell.heard(signal)
  }
}

function waitingFor(scene: Scene): string {
  if (scene.workers.length === 0) return 'waits for a worker'
  const isBusy = scene.tasks.some((task) => !scene.done.includes(task))
  return isBusy ? 'waits for the worker to finish' : 'waits for tasks'
}

/**
 * All that decisions rest on; null when a folder is missing. The assignments are read before the
 * states of the tasks: a worker ends both in one transaction, so a task whose assignment was seen
 * gone is seen done. The other way round it would be handed out again.
 */
async function look({ client, signal }: Program, bell: ChangeBell): Promise<Scene | null> {
  const children = (path: string, watch?: ChangeBell): Promise<readonly string[]> =>
    untilAnswered(() => client.getChildren(path, { watch: watch?.watcher ?? false, signal }))
  try {
    const workers = await children(WORKERS, bell)
    const tasks = await children(TASKS, bell)
    const folders = await children(ASSIGN)
    const assignments: Assignment[] = []
    for (const worker of folders) {
      for (const task of await children(`${ASSIGN}/${worker}`)) assignments.push({ worker, task })
    }
    const done: string[] = []
    for (const task of tasks) {
      if ((await children(`${TASKS}/${task}`, bell)).includes(STATUS_NAME)) done.push(task)
    }
    return { workers, tasks, folders, assignments, done }
  } catch (error) {
    if (isZooKeeperError(error, ErrorCode.NONODE)) return null
    throw error
  }
}

async function make({ client, stage, signal }: Program, move: Move): Promise<void> {
  const { kind, task, worker } = move
  if (kind === 'forget') {
    const path = assignmentOf(worker, task)
    await stage.step(`drops what is left of ${task}: it is done`, path)
    return deleteOnce(client, path, signal)
  }
  const path = assignmentOf(move.to, task)
  const create: Op = { kind: 'create', path, data: '' }
  const ops: Op[] = []
  if (move.needsFolder) ops.push({ kind: 'create', path: `${ASSIGN}/${move.to}`, data: '' })
  if (worker === null) await stage.step(`assigns ${task} to ${move.to}`, path)
  else {
    // In one transaction, so that there is never a moment with two workers on it, or none.
    await stage.step(`${worker} is gone: hands ${task} to ${move.to}`, path)
    ops.push({ kind: 'delete', path: assignmentOf(worker, task) })
  }
  try {
    await client.multi([...ops, create], { signal })
  } catch (error) {
    // Whatever it was, and whether it happened or not, the next look at the tree tells.
    if (!STALE.some((code) => isZooKeeperError(error, code))) throw error
    stage.outcome('The tree has changed: looks again.')
  }
}

const STALE: readonly number[] = [ErrorCode.CONNECTIONLOSS, ErrorCode.NODEEXISTS, ErrorCode.NONODE]
