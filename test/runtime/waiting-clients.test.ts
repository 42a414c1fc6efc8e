// Clients of the own tab wait for the election to end, within a bound.
import { expect, test } from 'vitest'
import {
  type OwnClient,
  SERVE_WAIT_MS,
  WAITING_CLIENTS_MAX,
  WaitingClients,
} from '../../src/runtime/waiting-clients.ts'

function client(): OwnClient {
  const channel = { send: () => {}, close: () => {}, onMessage: () => {}, onClose: () => {} }
  return { channel, address: '192.0.2.1' }
}

function bench(): {
  readonly waiting: WaitingClients
  readonly served: OwnClient[]
  readonly timers: Map<() => void, number>
} {
  const served: OwnClient[] = []
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
  const clients = [client(), client()]
  for (const client of clients) waiting.add(client)
  expect(served).toEqual([])
  waiting.releaseAll()
  waiting.releaseAll()
  expect(served).toEqual(clients)
  expect(timers.size).toBe(0)
})

test('a client that has waited long enough is handed over to be refused', () => {
  const { waiting, served, timers } = bench()
  const late = client()
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
  const gone = client()
  waiting.add(gone)
  gone.channel.onClose('page closed')
  waiting.releaseAll()
  expect(served).toEqual([])
  expect(timers.size).toBe(0)
})

test('no more wait than the bound allows', () => {
  const { waiting, served } = bench()
  for (let i = 0; i < WAITING_CLIENTS_MAX; i++) waiting.add(client())
  const extra = client()
  waiting.add(extra)
  expect(served).toEqual([extra])
})
