/** Keys of the files: logs, snapshots, purge (O30, P-rows). */
import { PACKINGS, type SnapshotPacking } from '../../adapters/files/file-names.ts'
import { ConfigError } from './config-error.ts'
import { custom, flag, number, parseWhole, type SettingRow } from './setting-row.ts'

const KIB = 1024
/** Java's long in kilobytes, as far as a number carries it. */
const KIB_MAX = 0x1fffffffff
const HOUR_MS = 3_600_000
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: HOUR_MS,
  d: 24 * HOUR_MS,
}

export const FILE_SETTINGS: readonly SettingRow[] = [
  custom({
    key: 'dataDir',
    means: 'snapshots, epochs and, unless dataLogDir says otherwise, logs; made if it is missing',
    kind: 'folder',
    byDefault: 'has to be given',
    read: (value) => ({ dataDirectory: folder('dataDir', value) }),
  }),
  custom({
    key: 'dataLogDir',
    means: 'logs, on a disk of their own',
    kind: 'folder',
    byDefault: 'dataDir',
    read: (value) => ({ logDirectory: folder('dataLogDir', value) }),
  }),
  number(
    'preallocateBytes',
    { key: 'preAllocSize', means: 'log files grow in steps of so much' },
    { times: KIB, unit: 'KiB', max: 1024 * KIB },
  ),
  flag('forceSync', {
    key: 'forceSync',
    means: 'an acknowledged write is on the disk; no = it may be lost with the machine',
  }),
  number(
    'slowSyncMs',
    { key: 'fsync.warningthresholdms', means: 'a sync that takes longer is a warning' },
    { unit: 'ms' },
  ),
  number(
    'snapCount',
    { key: 'snapCount', means: 'a snapshot after half to all of so many transactions' },
    { min: 2 },
  ),
  custom({
    key: 'snapSizeLimitInKb',
    means: '… or after half to all of so much log; 0 or less = the count alone',
    kind: 'KiB',
    byDefault: '4194304',
    read: (value) => ({ snapSizeBytes: kibOrOff('snapSizeLimitInKb', value) }),
  }),
  custom({
    key: 'txnLogSizeLimitInKb',
    means: 'a new log file when one is larger; off = only after a snapshot',
    kind: 'KiB, or −1 for off',
    byDefault: '-1',
    read: (value) => ({ logFileBytesMax: kibOrOff('txnLogSizeLimitInKb', value) }),
  }),
  custom({
    key: 'snapshot.compression.method',
    means: 'how snapshots to come are packed; every kind is read',
    kind: 'gz, snappy or nothing',
    byDefault: 'nothing',
    read: (value) => ({ snapshotPacking: packing('snapshot.compression.method', value) }),
  }),
  flag('trustsLogsAlone', {
    key: 'snapshot.trust.empty',
    means: 'logs without any snapshot begin with the empty tree, as servers before 3.5 left them',
  }),
  flag('createsDatabase', {
    key: 'db.autocreate',
    means: 'an empty folder becomes an empty database, also without the file `initialize`',
  }),
  custom({
    key: 'autopurge.snapRetainCount',
    means: 'newest snapshots that a purge leaves, with every log that they need; at least 3',
    kind: '3–…',
    byDefault: '3',
    read: (value) => ({
      snapshotsRetained: Math.max(3, wholeOf('autopurge.snapRetainCount', value)),
    }),
  }),
  custom({
    key: 'autopurge.purgeInterval',
    means: 'how often old snapshots and logs are deleted; 0 = never',
    kind: 'hours, or a number with ms, s, m, h, d',
    byDefault: '0',
    read: (value) => ({ purgeIntervalMs: interval('autopurge.purgeInterval', value) }),
  }),
]

/** SnapStream: any other word is an error there, too. */
function packing(key: string, value: string): SnapshotPacking {
  const method = value.toLowerCase()
  if (method === '') return 'plain'
  const known = PACKINGS.find((one) => one === method)
  if (known === undefined) throw new ConfigError(`${key}=${value}: it is gz, snappy or nothing`)
  return known
}

function folder(key: string, value: string): string {
  if (value === '') throw new ConfigError(`${key}= names no folder`)
  return value
}

function wholeOf(key: string, text: string): number {
  return parseWhole(key, text, -0x80000000, 0x7fffffff)
}

function kibOrOff(key: string, text: string): number {
  return Math.max(0, parseWhole(key, text, -KIB_MAX, KIB_MAX)) * KIB
}

/** Plain numbers are hours, as they always were; suffixes came with 3.10. */
function interval(key: string, text: string): number {
  const [, digits, suffix = ''] = /^(\d{1,9})(ms|s|m|h|d)?$/i.exec(text) ?? []
  if (digits === undefined) {
    throw new ConfigError(`${key}=${text}: it is a number of hours, or one with ms, s, m, h or d`)
  }
  return Number(digits) * (UNIT_MS[suffix.toLowerCase()] ?? HOUR_MS)
}
