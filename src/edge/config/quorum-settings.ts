/** Keys of elections and of what a leader sends to its learners (Q-rows, O30, O32). */
import { DEFAULT_SETTINGS } from '../settings.ts'
import { ConfigError } from './config-error.ts'
import { custom, flag, number, parseWhole, type SettingRow } from './setting-row.ts'

const SIZE_FACTOR = 'snapshotSizeFactor'
const { snapshotSizeFactor: SIZE_FACTOR_PRESET } = DEFAULT_SETTINGS
const EPOCH_WAIT = 'leader.maxTimeToWaitForEpoch'
const OBSERVER_MASTER = 'observerMasterPort'

export const QUORUM_SETTINGS: readonly SettingRow[] = [
  number(
    'notificationIntervalMs',
    { key: 'fastleader.minNotificationInterval', means: 'until an unanswered vote is told again' },
    { min: 1, unit: 'ms' },
  ),
  number(
    'notificationIntervalMaxMs',
    {
      key: 'fastleader.maxNotificationInterval',
      means: '… twice as long each time, up to this; ZooKeeper waits up to a minute',
    },
    { min: 1, unit: 'ms' },
  ),
  number('commitLogCount', {
    key: 'commitLogCount',
    means: 'committed transactions in memory, for servers that come back',
  }),
  custom({
    key: SIZE_FACTOR,
    means:
      'who lacks more gets what the log on disk has, up to this part of a snapshot; −1 = never; ' +
      'above 1 it is the default, as in ZooKeeper',
    kind: 'a number',
    byDefault: String(SIZE_FACTOR_PRESET),
    read: (value) => {
      const factor = Number(value)
      if (!/^-?\d{0,6}(\.\d{1,12})?$/.test(value) || Number.isNaN(factor) || value === '') {
        throw new ConfigError(`${SIZE_FACTOR}=${value}: it is a number`)
      }
      return { snapshotSizeFactor: factor > 1 ? SIZE_FACTOR_PRESET : factor }
    },
  }),
  custom({
    key: EPOCH_WAIT,
    alsoAs: ['maxTimeToWaitForEpoch'],
    means: 'that an elected leader waits for its quorum; −1 = 2.5 s and what silence may last',
    kind: '−1–… ms',
    byDefault: '-1',
    read: (value) => {
      const waitMs = parseWhole(EPOCH_WAIT, value, -1, 0x7fffffff)
      return { epochWaitMs: waitMs === -1 ? null : waitMs }
    },
  }),
  number(
    'observerSnapsMax',
    {
      key: 'leader.maxConcurrentSnapSyncs',
      alsoAs: ['maxConcurrentSnapSyncs'],
      means: 'observers that are sent a snapshot at once; voters never wait',
    },
    { min: 1 },
  ),
  number(
    'observerDiffsMax',
    {
      key: 'leader.maxConcurrentDiffSyncs',
      alsoAs: ['maxConcurrentDiffSyncs'],
      means: '… that are brought up to date without one',
    },
    { min: 1 },
  ),
  flag('alwaysSendsSnapshot', {
    key: 'forceSnapshotSync',
    means: 'this leader sends every learner a snapshot, whatever it has',
  }),
  number(
    'observerDelayMs',
    {
      key: 'observer.election.DelayMs',
      means: 'an observer that lost its leader asks for another one only after a part of this',
    },
    { unit: 'ms' },
  ),
  number(
    'observerReconnectDelayMs',
    {
      key: 'observer.reconnectDelayMs',
      means: '… and so, when no server that it may learn from has taken it',
    },
    { unit: 'ms' },
  ),
  custom({
    key: OBSERVER_MASTER,
    means:
      'where followers, and the leader, take observers, and observers go to followers; 0 = none',
    kind: '…–65535',
    byDefault: '0',
    read: (value) => {
      const masterPort = parseWhole(OBSERVER_MASTER, value, -0x80000000, 65_535)
      return { observerMasterPort: masterPort > 0 ? masterPort : null }
    },
  }),
  number(
    'observerLagBytesMax',
    {
      key: 'observerMaster.sizeLimit',
      means:
        '… and what one of them may be behind before it begins anew; at least the longest packet',
    },
    { unit: 'bytes' },
  ),
  number(
    'leaderRetryMs',
    {
      key: 'leaderConnectDelayDuringRetryMs',
      alsoAs: ['leader.connectDelayDuringRetryMs'],
      means: 'between attempts to reach the leader',
    },
    { min: 1, unit: 'ms' },
  ),
  number(
    'leaderConnectTicks',
    { key: 'connectToLearnerMasterLimit', means: 'for one such attempt; 0 = 5 s' },
    { unit: 'ticks' },
  ),
]
