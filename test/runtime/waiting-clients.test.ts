// Clients of the own tab wait for the election to end, within a bound.
import { expect, test } from 'vitest'
import type { ClientChannel } from '../../src/ports/client-channel.ts'
import {
  SERVE_WAIT_MS,
  WAITING_CLIENTS_MAX,
  WaitingClients,
} from '../../src/runtime/waiting-clients.ts'

function channel(): ClientChannel {
  return { send: () => {}, close: () => {}, onMessage: () => {}, onClose: () => {} }
}

function bench(): {
  readonly waiting: WaitingClients
  readonly served: ClientChannel[]
  readonly timers: Map<() => void, number>
} {
  const served: ClientChannel[] = []
  const timers = new Map<() => void, number>()
  const every = (intervalMs: number, run: () => void): (() => void) => {
    timers.set(run, intervalMs)
    return () => timers.delete(run)
  }
  const waiting = new WaitingClients(every, (one) => served.push(one))
  return { waiting, served, timers }
}

test('clients are handed over in the order in which they came, once', () => {
  const { waiting, served, timers } = bench()
  const clients = [channel(), channel()]
  for (const client of clients) waiting.add(client)
  expect(served).toEqual([])
  waiting.releaseAll()
  waiting.releaseAll()
  expect(served).toEqual(clients)
  expect(timers.size).toBe(0)
})

test('a client that has waited long enough is handed over to be refused', () => {
  const { waiting, served, timers } = bench()
  const late = channel()
  waiting.add(late)
  expect([...timers.values()]).toEqual([SERVE_WAIT_MS])
  for (const run of [...timers.keys()]) run()
  expect(served).toEqual([late])
  expect(timers.size).toBe(0)
  waiting.releaseAll()
  expect(served).toEqual([late])
})

test('a client that went away is forgotten', () => {
  const { waiting, served, timers } = bench()
  const gone = channel()
  waiting.add(gone)
  gone.onClose('page closed')
  waiting.releaseAll()
  expect(served).toEqual([])
  expect(timers.size).toBe(0)
})

test('no more wait than the bound allows', () => {
  const { waiting, served } = bench()
  for (let i = 0; i < WAITING_CLIENTS_MAX; i++) waiting.add(channel())
  const extra = channel()
  waiting.add(extra)
  expect(served).toEqual([extra])
})
