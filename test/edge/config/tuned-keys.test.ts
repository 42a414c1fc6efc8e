// Keys that tune a member: what each one in the file makes of the member, the files, the network.
import { expect, test } from 'vitest'
import { readZooCfg } from '../../../src/edge/config/zoo-cfg.ts'
import { memberConfigOf, networkTuningOf } from '../../../src/edge/member-settings.ts'
import type { ServerSettings } from '../../../src/edge/settings.ts'

interface Read {
  readonly settings: ServerSettings
  readonly warnings: readonly string[]
}

function read(...lines: readonly string[]): Read {
  return readZooCfg({
    path: 'zoo.cfg',
    text: ['dataDir=/d', 'clientPort=2181', ...lines].join('\n'),
    properties: new Map(),
    readText: () => null,
  })
}

const BLUE = { freezeMs: 100, dropIncrease: 0.02, dropDecrease: 0.002, decreaseRatio: 0 }
const WEIGHTS = { global: 3, local: 1, renewed: 2 }

test.each([
  ['commitLogCount=7', { commitLogCount: 7 }],
  ['snapshotSizeFactor=-1', { snapshotSizeFactor: -1 }],
  ['snapshotSizeFactor=0.5', { snapshotSizeFactor: 0.5, logDiffBytesMax: 16 * 1024 * 1024 }],
  ['snapshotSizeFactor=0', { snapshotSizeFactor: 0 }],
  ['snapshotSizeFactor=1.5', { snapshotSizeFactor: 0.33 }],
  ['fastleader.minNotificationInterval=50', { notificationIntervalMs: 50 }],
  ['fastleader.maxNotificationInterval=9000', { notificationIntervalMaxMs: 9_000 }],
  ['leader.maxTimeToWaitForEpoch=800', { epochWaitMs: 800 }],
  ['leader.maxConcurrentSnapSyncs=4', { observerSnapsMax: 4 }],
  ['leader.maxConcurrentDiffSyncs=5', { observerDiffsMax: 5 }],
  ['forceSnapshotSync=true', { alwaysSendsSnapshot: true }],
  ['observer.election.DelayMs=700', { observerDelayMs: 700 }],
  ['observer.reconnectDelayMs=800', { reconnectDelayMs: 800 }],
  ['observerMasterPort=2191', { observerMaster: { lagBytesMax: 33_554_432 } }],
  [
    'observerMasterPort=2191\nobserverMaster.sizeLimit=9000000',
    { observerMaster: { lagBytesMax: 9_000_000 } },
  ],
  ['enableEagerACLCheck=true', { checksAclEagerly: true }],
  ['connectionFreezeTime=100', { connectionBlue: BLUE }],
  ['connectionFreezeTime=-1', { connectionBlue: null }],
  [
    'connectionFreezeTime=100\nconnectionDropIncrease=0.5\nconnectionDropDecrease=.25\n' +
      'connectionDecreaseRatio=1',
    { connectionBlue: { freezeMs: 100, dropIncrease: 0.5, dropDecrease: 0.25, decreaseRatio: 1 } },
  ],
  ['connection_throttle_weight_enabled=true', { connectionWeights: WEIGHTS }],
  ['connection_throttle_global_session_weight=9', { connectionWeights: null }],
  [
    'connection_throttle_weight_enabled=true\nconnection_throttle_global_session_weight=9\n' +
      'connection_throttle_local_session_weight=8\nconnection_throttle_renew_session_weight=7',
    { connectionWeights: { global: 9, local: 8, renewed: 7 } },
  ],
  ['jute.maxbuffer=8388608', { frameBytesMax: 8_388_608, packetBytesMax: 17_301_504 }],
  ['jute.maxbuffer=8388608\njute.maxbuffer.extrasize=5', { extraBytesMax: 1_024 }],
  ['request_stale_latency_check=true', { dropsStaleRequests: false }],
  ['requestStaleLatencyCheck=true\nrequestThrottleLimit=9', { dropsStaleRequests: true }],
  [
    'requestStaleLatencyCheck=true\nrequestThrottleLimit=9\nrequest_throttle_drop_stale=false',
    { dropsStaleRequests: false },
  ],
])('%s reaches the member', (lines, expected) => {
  const { settings, warnings } = read(...lines.split('\n'))
  expect(warnings).toEqual([])
  expect(memberConfigOf(settings, 1)).toMatchObject(expected)
})

test.each([
  ['snapshot.compression.method=gz', { snapshotPacking: 'gz' }],
  ['snapshot.compression.method=snappy', { snapshotPacking: 'snappy' }],
  ['snapshot.compression.method=', { snapshotPacking: 'plain' }],
  ['snapshot.trust.empty=true', { trustsLogsAlone: true }],
])('%s reaches the files', (line, expected) => {
  const { settings, warnings } = read(line)
  expect(warnings).toEqual([])
  expect(settings).toMatchObject(expected)
})

test('how a learner reaches its leader', () => {
  const byDefault = networkTuningOf(read().settings)
  expect(byDefault).toMatchObject({ leaderRetryMs: 100, connectTimeoutMs: 5_000 })
  expect(byDefault).not.toHaveProperty('leaderConnectMs')
  const lines = ['leaderConnectDelayDuringRetryMs=900', 'connectToLearnerMasterLimit=3']
  expect(networkTuningOf(read('tickTime=1000', ...lines).settings)).toMatchObject({
    leaderRetryMs: 900,
    leaderConnectMs: 3_000,
  })
})

test('a jute.maxbuffer that nothing could write is less, and that is said', () => {
  const { settings, warnings } = read('jute.maxbuffer=104857600')
  expect(settings.frameBytesMax).toBe(31 * 1024 * 1024)
  expect(warnings).toEqual([expect.stringContaining('at most 32505856')])
})

test('what no such key may be is said', () => {
  expect(() => read('snapshot.compression.method=zip')).toThrow('gz, snappy or nothing')
  expect(() => read('connectionDropIncrease=2')).toThrow('a number from 0 to 1')
  expect(() => read('connectionDropIncrease=')).toThrow('a number from 0 to 1')
  expect(() => read('snapshotSizeFactor=a third')).toThrow('it is a number')
  expect(() => read('commitLogCount=-1')).toThrow('commitLogCount=-1')
})
