import { expect, it } from 'vitest'
import { machineLines } from '../../src/playwright/machine-lines.ts'
import type { Trace } from '../../src/playwright/page/page-news.ts'

const NOW_MS = 1_000_000

it('tells in order what machines did, what was done to them, and who lost a connection', () => {
  const events = [
    { client: 7, atMs: 999_000, kind: 'connected', session: 1n, server: 2, isNew: true },
    { client: 7, atMs: 999_750, kind: 'disconnected', reason: 'the server ended it' },
  ] as const
  const faults = [{ atMs: 999_250, untilMs: 999_900, what: 'frozen', sids: [1, 3] }]
  const traces: Trace[] = [
    { at: 999_500, type: 'role', role: 'looking', epoch: 4, reason: 'no quorum' },
    { at: 999_600, type: 'snapshot', zxid: '0x400000001', bytes: 100 },
  ]
  expect(machineLines({ events, faults }, [{ number: 2, traces }], NOW_MS).split('\n')).toEqual([
    '   -0.750 s  — machine 1 and 3: frozen',
    '   -0.500 s  machine 2 is looking, epoch 4: no quorum',
    '   -0.250 s  client 7 of machine 2 lost its connection: the server ended it',
    '   -0.100 s  — machine 1 and 3: no longer frozen',
    '',
  ])
})

it('keeps the newest where there is very much', () => {
  const traces = Array.from({ length: 5_000 }, (_, i): Trace => ({
    ...{ at: NOW_MS - 5_000 + i, type: 'slept' },
    elapsedMs: i,
  }))
  const text = machineLines({ events: [], faults: [] }, [{ number: 1, traces }], NOW_MS)
  expect(text.split('\n')).toHaveLength(201)
  expect(text).toContain('-0.001 s  machine 1 stood still for 4999 ms')
})
