// What a master does next, case by case.
import { expect, test } from 'vitest'
import { nextMove, type Move, type Scene } from '../../../demo/scenario/master-moves.ts'

const NOTHING: Scene = { workers: [], tasks: [], folders: [], assignments: [], done: [] }

interface Case {
  readonly name: string
  readonly scene: Partial<Scene>
  readonly move: Move | null
}

const has = (worker: string, task: string): { worker: string; task: string } => ({ worker, task })
const assign = (task: string, to: string, worker: string | null = null): Move => ({
  kind: 'assign',
  task,
  to,
  worker,
  needsFolder: false,
})
const forget = (task: string, worker: string): Move => ({ kind: 'forget', task, worker })

const CASES: readonly Case[] = [
  { name: 'nothing there', scene: {}, move: null },
  { name: 'a task and nobody to do it', scene: { tasks: ['t1'] }, move: null },
  {
    name: 'a task and a worker',
    scene: { tasks: ['t1'], workers: ['a'], folders: ['a'] },
    move: assign('t1', 'a'),
  },
  {
    name: 'a worker without its inbox',
    scene: { tasks: ['t1'], workers: ['a'] },
    move: { kind: 'assign', task: 't1', to: 'a', worker: null, needsFolder: true },
  },
  {
    name: 'the oldest task first, to the least busy',
    scene: {
      tasks: ['t3', 't2', 't1'],
      workers: ['a', 'b'],
      folders: ['a', 'b'],
      assignments: [has('a', 't1')],
    },
    move: assign('t2', 'b'),
  },
  {
    name: 'all handed out',
    scene: { tasks: ['t1'], workers: ['a'], folders: ['a'], assignments: [has('a', 't1')] },
    move: null,
  },
  {
    name: 'all done',
    scene: { tasks: ['t1'], done: ['t1'], workers: ['a'], folders: ['a'] },
    move: null,
  },
  {
    name: 'an orphan goes to a live worker',
    scene: {
      tasks: ['t1'],
      workers: ['b'],
      folders: ['a', 'b'],
      assignments: [has('a', 't1')],
    },
    move: assign('t1', 'b', 'a'),
  },
  {
    name: 'an orphan and nobody alive',
    scene: { tasks: ['t1'], folders: ['a'], assignments: [has('a', 't1')] },
    move: null,
  },
  {
    name: 'an orphan that a live worker has as well',
    scene: {
      tasks: ['t1'],
      workers: ['b'],
      folders: ['a', 'b'],
      assignments: [has('a', 't1'), has('b', 't1')],
    },
    move: forget('t1', 'a'),
  },
  {
    name: 'the assignment of a task that is done',
    scene: {
      tasks: ['t1'],
      done: ['t1'],
      workers: ['a'],
      folders: ['a'],
      assignments: [has('a', 't1')],
    },
    move: forget('t1', 'a'),
  },
  {
    name: 'the assignment of a task that was deleted',
    scene: { workers: ['a'], folders: ['a'], assignments: [has('a', 't1')] },
    move: forget('t1', 'a'),
  },
]

test.each(CASES)('$name', ({ scene, move }) => {
  expect(nextMove({ ...NOTHING, ...scene })).toEqual(move)
})
