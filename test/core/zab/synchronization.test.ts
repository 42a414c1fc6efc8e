// The decision table of LearnerHandler (T24, Q30, Q31).
import { describe, expect, test } from 'vitest'
import { COMMIT_LOG_BYTES, COMMIT_LOG_COUNT } from '../../../src/core/zab/constants.ts'
import { CommittedLog } from '../../../src/core/zab/committed-log.ts'
import { chooseSync, planFrom } from '../../../src/core/zab/synchronization.ts'
import { zxidOf } from './rig.ts'

const entry = new Uint8Array(1)

function logOf(base: string, ...zxids: readonly string[]): CommittedLog {
  return new CommittedLog(
    zxidOf(base),
    zxids.map((text) => ({ zxid: zxidOf(text), entry })),
  )
}

const FRESH = logOf('0.0')
const YOUNG = logOf('0.0', '1.1', '1.2')
const OLD = logOf('2.4', '2.5', '2.6', '4.1', '4.2', '6.1')

type Row = readonly [
  what: string,
  log: CommittedLog,
  lastZxid: string,
  truncFloor: string,
  mode: 'DIFF' | 'TRUNC' | 'SNAP' | 'LOG',
  from: string,
  follow: string,
]

const TABLE: readonly Row[] = [
  ['both are empty', FRESH, '0.0', '0.0', 'DIFF', '0.0', ''],
  ['the learner is where we are', OLD, '6.1', '0.0', 'DIFF', '6.1', ''],
  ['the learner is empty and we have everything', YOUNG, '0.0', '0.0', 'DIFF', '0.0', '1.1 1.2'],
  ['the learner is empty and we have not', OLD, '0.0', '0.0', 'SNAP', '', ''],
  ['the learner is below the window', OLD, '2.3', '0.0', 'LOG', '', ''],
  ['its state is in doubt, below the window as well', OLD, '2.3', '2.4', 'SNAP', '', ''],
  ['it is below the window, and has no entry (Q31)', OLD, '2.0', '0.0', 'SNAP', '', ''],
  ['the learner is exactly at the base', OLD, '2.4', '0.0', 'DIFF', '2.4', '2.5 2.6 4.1 4.2 6.1'],
  ['the learner is inside', OLD, '4.1', '0.0', 'DIFF', '4.1', '4.2 6.1'],
  ['the learner has more', OLD, '6.9', '0.0', 'TRUNC', '6.1', ''],
  ['the learner has more of a later epoch', OLD, '7.3', '0.0', 'TRUNC', '6.1', ''],
  ['the learner has more of an old epoch', OLD, '2.9', '0.0', 'TRUNC', '2.6', '4.1 4.2 6.1'],
  ['the learner has an epoch that we have not', OLD, '3.2', '0.0', 'TRUNC', '2.6', '4.1 4.2 6.1'],
  ['all that is common is the base', logOf('2.4', '4.1'), '2.7', '0.0', 'TRUNC', '2.4', '4.1'],
  ['it would be cut below its snapshot', OLD, '2.9', '2.8', 'SNAP', '', ''],
  ['it is cut to its snapshot', OLD, '2.9', '2.6', 'TRUNC', '2.6', '4.1 4.2 6.1'],
  ['it would be cut to nothing (Q31)', FRESH, '1.3', '0.0', 'SNAP', '', ''],
  ['its zxid has no entry and is not ours (Q31)', OLD, '5.0', '0.0', 'SNAP', '', ''],
  ['its zxid has no entry and is newer (Q31)', OLD, '8.0', '0.0', 'SNAP', '', ''],
  [
    'its zxid has no entry and is our base',
    logOf('4.0', '4.1'),
    '4.0',
    '0.0',
    'DIFF',
    '4.0',
    '4.1',
  ],
]

describe('the first packet for a learner', () => {
  test.each(TABLE)('when %s', (_, log, lastZxid, floor, mode, from, follow) => {
    const position = { lastZxid: zxidOf(lastZxid), truncFloor: zxidOf(floor) }
    const plan = chooseSync(log, position)
    expect(plan.mode).toBe(mode)
    if (plan.mode === 'SNAP' || plan.mode === 'LOG') return
    expect(plan.from).toBe(zxidOf(from))
    const expected = follow === '' ? [] : follow.split(' ').map(zxidOf)
    expect(log.after(plan.from).map(({ zxid }) => zxid)).toEqual(expected)
  })
})

describe('the window', () => {
  test('keeps the newest entries (Q32)', () => {
    const log = new CommittedLog(zxidOf('1.0'))
    for (let i = 1; i <= COMMIT_LOG_COUNT + 3; i++) log.add({ zxid: zxidOf(`1.${i}`), entry })
    expect(log.count).toBe(COMMIT_LOG_COUNT)
    expect(log.base).toBe(zxidOf('1.3'))
    expect(log.last).toBe(zxidOf(`1.${COMMIT_LOG_COUNT + 3}`))
  })

  test('and not more bytes than its bound', () => {
    const log = new CommittedLog(zxidOf('1.0'))
    const third = new Uint8Array(COMMIT_LOG_BYTES / 3)
    for (let i = 1; i <= 5; i++) log.add({ zxid: zxidOf(`1.${i}`), entry: third })
    expect(log.count).toBe(3)
  })

  test('one entry that is larger than the window leaves it empty, and its base right', () => {
    const log = logOf('1.0', '1.1')
    log.add({ zxid: zxidOf('1.2'), entry: new Uint8Array(COMMIT_LOG_BYTES + 1) })
    expect([log.count, log.base, log.last]).toEqual([0, zxidOf('1.2'), zxidOf('1.2')])
    const plan = chooseSync(log, { lastZxid: zxidOf('1.1'), truncFloor: zxidOf('0.0') })
    expect(plan.mode).toBe('LOG')
  })
})

describe('what the log on disk shows that both have', () => {
  test.each([
    ['all of it', '2.9', '0.0', '2.9', 'DIFF'],
    ['less than the learner has', '2.9', '0.0', '2.6', 'TRUNC'],
    ['less, of an older epoch', '3.2', '0.0', '2.6', 'TRUNC'],
    ['less than its snapshot', '2.9', '2.8', '2.6', 'SNAP'],
    ['as much as its snapshot', '2.9', '2.6', '2.6', 'TRUNC'],
  ])('%s', (_, lastZxid, floor, common, mode) => {
    const position = { lastZxid: zxidOf(lastZxid), truncFloor: zxidOf(floor) }
    expect(planFrom(zxidOf(common), position).mode).toBe(mode)
  })
})
