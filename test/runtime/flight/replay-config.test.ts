import { expect, test } from 'vitest'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { FlightFormatError } from '../../../src/runtime/flight/flight-bytes.ts'
import {
  configJson,
  readConfig,
  redactedConfig,
} from '../../../src/runtime/flight/replay-config.ts'
import { configOf } from '../bench.ts'

test('the settings of an observer, and of a room with an origin, come through JSON', () => {
  const config = redactedConfig({
    ...configOf(4, 3),
    peerType: 'observer',
    sessionBase: (1n << 56n) - 1n,
    originZxid: makeZxid(7, 42),
  })
  expect(readConfig(JSON.parse(JSON.stringify(configJson(config))))).toEqual(config)
})

test('a damaged number is told as damage', () => {
  const json = { ...configJson(redactedConfig(configOf(1, 3))), sessionBase: '12x' }
  expect(() => readConfig(json)).toThrow(FlightFormatError)
})
