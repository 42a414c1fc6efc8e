import { describe, expect, test } from 'vitest'
import { CreateMode, createModeFromFlag } from '../../../src/core/jute/create-mode.ts'
import {
  ErrorCode,
  errorCodeName,
  errorName,
  isErrorCode,
} from '../../../src/core/jute/error-code.ts'
import {
  EventType,
  eventTypeName,
  isAddWatchMode,
  isWatcherType,
  KeeperState,
  keeperStateName,
} from '../../../src/core/jute/event-type.ts'
import { isOpCode, OpCode, opName } from '../../../src/core/jute/op-code.ts'
import {
  CREATOR_ALL_ACL,
  OPEN_ACL_UNSAFE,
  Perms,
  permsFromLetters,
  permsToLetters,
  READ_ACL_UNSAFE,
} from '../../../src/core/jute/perms.ts'
import { PacketType, packetName } from '../../../src/core/jute/quorum-records.ts'

test('operation codes are those of ZooKeeper (W18–W44)', () => {
  expect(Object.keys(OpCode)).toHaveLength(33)
  expect(opName(15)).toBe('create2')
  expect(opName(-11)).toBe('closeSession')
  expect(opName(888)).toBe('unknown 888')
  expect(isOpCode(10)).toBe(false)
  expect(isOpCode(107)).toBe(true)
})

describe('error codes (W64)', () => {
  test('there are 32, all different', () => {
    expect(new Set(Object.values(ErrorCode)).size).toBe(32)
  })

  test.each([
    [ErrorCode.NONODE, undefined, 'KeeperErrorCode = NoNode'],
    [ErrorCode.NONODE, '/a', 'KeeperErrorCode = NoNode for /a'],
    [ErrorCode.NODEEXISTS, '/master', 'KeeperErrorCode = NodeExists for /master'],
    [ErrorCode.NOTEMPTY, '/china', 'KeeperErrorCode = Directory not empty for /china'],
    [ErrorCode.CONNECTIONLOSS, '', 'KeeperErrorCode = ConnectionLoss'],
    [ErrorCode.SESSIONEXPIRED, null, 'KeeperErrorCode = Session expired'],
    [ErrorCode.REQUESTTIMEOUT, null, 'KeeperErrorCode = Unknown error REQUESTTIMEOUT'],
    [-9999, null, 'KeeperErrorCode = Unknown error -9999'],
  ])('%i at %s prints "%s"', (code, path, text) => {
    expect(errorName(code, path)).toBe(text)
  })

  test('names', () => {
    expect(errorCodeName(-101)).toBe('NONODE')
    expect(errorCodeName(-104)).toBe('-104')
    expect(isErrorCode(-127)).toBe(true)
    expect(isErrorCode(-126)).toBe(false)
  })
})

test('event types and states (W65, W66, W69)', () => {
  expect(eventTypeName(EventType.NodeChildrenChanged)).toBe('NodeChildrenChanged')
  expect(eventTypeName(99)).toBe('unknown 99')
  expect(keeperStateName(KeeperState.Expired)).toBe('Expired')
  expect(keeperStateName(2)).toBe('unknown 2')
  expect([0, 1, 5, 6].map(isWatcherType)).toEqual([false, true, true, false])
  expect([-1, 0, 1, 2].map(isAddWatchMode)).toEqual([false, true, true, false])
})

describe('create modes (W67)', () => {
  test.each([
    ['PERSISTENT', 0, []],
    ['EPHEMERAL', 1, ['isEphemeral']],
    ['PERSISTENT_SEQUENTIAL', 2, ['isSequential']],
    ['EPHEMERAL_SEQUENTIAL', 3, ['isEphemeral', 'isSequential']],
    ['CONTAINER', 4, ['isContainer']],
    ['PERSISTENT_WITH_TTL', 5, ['isTTL']],
    ['PERSISTENT_SEQUENTIAL_WITH_TTL', 6, ['isSequential', 'isTTL']],
  ] as const)('%s is %i', (name, flag, traits) => {
    const mode = createModeFromFlag(flag)
    expect(mode).toBe(CreateMode[name])
    expect(mode).toMatchObject({ name, flag })
    const set = Object.entries(mode!).filter(([, value]) => value === true)
    expect(set.map(([trait]) => trait)).toEqual(traits)
  })

  test('other flags are unknown (D6)', () => {
    expect([-1, 7, 1.5, NaN].map(createModeFromFlag)).toEqual(new Array(4).fill(undefined))
  })
})

describe('permissions (W68, W70)', () => {
  test.each([
    [31, 'cdrwa'],
    [0, ''],
    [1, 'r'],
    [Perms.WRITE | Perms.CREATE, 'cw'],
    [Perms.ADMIN | Perms.DELETE, 'da'],
  ])('%i prints as %j', (perms, letters) => {
    expect(permsToLetters(perms)).toBe(letters)
    expect(permsFromLetters(letters)).toBe(perms)
  })

  test('letters come in any order, others are refused', () => {
    expect(permsFromLetters('adwcr')).toBe(Perms.ALL)
    expect(permsFromLetters('rr')).toBe(Perms.READ)
    expect(permsFromLetters('rx')).toBeNull()
  })

  test('ready-made lists', () => {
    expect(OPEN_ACL_UNSAFE).toEqual([{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])
    expect(CREATOR_ALL_ACL).toEqual([{ perms: 31, id: { scheme: 'auth', id: '' } }])
    expect(READ_ACL_UNSAFE).toEqual([{ perms: 1, id: { scheme: 'world', id: 'anyone' } }])
  })
})

test('packet types are 1 to 19 (Q24)', () => {
  const types = Object.values(PacketType).sort((a, b) => a - b)
  expect(types).toEqual(Array.from({ length: 19 }, (_, i) => i + 1))
  expect(packetName(10)).toBe('NEWLEADER')
  expect(packetName(77)).toBe('unknown 77')
})
