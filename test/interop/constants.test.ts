/**
 * Our numbers and texts against those of Apache's classes (`npm run record:frames -- constants`).
 */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CreateMode, createModeFromFlag } from '../../src/core/jute/create-mode.ts'
import { ErrorCode, errorCodeName, errorName } from '../../src/core/jute/error-code.ts'
import {
  AddWatchMode,
  EventType,
  KeeperState,
  WatcherType,
} from '../../src/core/jute/event-type.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { Perms } from '../../src/core/jute/perms.ts'
import { PacketType } from '../../src/core/jute/quorum-records.ts'
import { FRAMES_DIRECTORY } from './frame-file.ts'

type Numbers = Readonly<Record<string, number>>

interface Constants {
  readonly opCodes: Numbers
  readonly perms: Numbers
  readonly errors: Readonly<Record<string, readonly [code: number, text: string | null]>>
  readonly createModes: Readonly<
    Record<
      string,
      readonly [number, ephemeral: boolean, sequential: boolean, boolean, ttl: boolean]
    >
  >
  readonly eventTypes: Numbers
  readonly keeperStates: Numbers
  readonly watcherTypes: Numbers
  readonly addWatchModes: Numbers
  readonly packets: Numbers
}

const apache = JSON.parse(readFileSync(`${FRAMES_DIRECTORY}constants.json`, 'utf8')) as Constants

/** 3.8 does not know what came later (W69). */
const NEWER_WATCHER_TYPES = ['Persistent', 'PersistentRecursive']

test.each([
  ['operation codes', { ...OpCode }, apache.opCodes],
  ['permissions', { ...Perms }, apache.perms],
  ['event types', { ...EventType }, apache.eventTypes],
  ['ways to add a watch', { ...AddWatchMode }, apache.addWatchModes],
])('%s', (_name, ours: Numbers, theirs) => {
  expect(ours).toEqual(theirs)
})

test('watcher types', () => {
  const older = Object.entries(WatcherType).filter(([name]) => !NEWER_WATCHER_TYPES.includes(name))
  expect(Object.fromEntries(older)).toEqual(apache.watcherTypes)
})

test('connection states, but for the deprecated ones (W66)', () => {
  const deprecated = ['Unknown', 'NoSyncConnected']
  const theirs = Object.entries(apache.keeperStates).filter(([name]) => !deprecated.includes(name))
  expect({ ...KeeperState }).toEqual(Object.fromEntries(theirs))
})

test('packet types', () => {
  const theirs = Object.entries(apache.packets).filter(([name]) => name in PacketType)
  expect({ ...PacketType }).toEqual(Object.fromEntries(theirs))
})

describe('error codes', () => {
  const entries = Object.entries(apache.errors)

  test.each(entries)('%s', (name, [code, text]) => {
    expect((ErrorCode as Numbers)[name]).toBe(code)
    expect(errorCodeName(code)).toBe(name)
    if (text !== null) expect(errorName(code)).toBe(text)
  })

  test('and no others', () => {
    const ours = Object.keys(ErrorCode)
    expect(ours.filter((name) => !(name in apache.errors))).toEqual([])
  })
})

test.each(Object.entries(apache.createModes))('create mode %s', (name, traits) => {
  const [flag, isEphemeral, isSequential, isContainer, isTTL] = traits
  const mode = createModeFromFlag(flag)
  expect(mode).toEqual({ name, flag, isEphemeral, isSequential, isContainer, isTTL })
  expect(Object.values({ ...CreateMode })).toContain(mode)
})
