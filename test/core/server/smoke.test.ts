import { expect, test } from 'vitest'
import { FakeEnsemble } from './fake-ensemble.ts'

test('smoke', () => {
  const e = new FakeEnsemble({ followers: 1 })
  const a = e.session()
  const b = e.session(1)
  expect(a.connected?.timeOut).toBe(10_000)
  expect(b.session).not.toBe(0n)
  expect(a.create('/a', 'x')).toBe('/a')
  expect(b.getData('/a', true)).toMatchObject({ data: 'x' })
  expect(a.setData('/a', 'y')).toMatchObject({ version: 1 })
  expect(b.events.map((ev) => [ev.type, ev.path])).toEqual([[3, '/a']])
  expect(b.create('/b', 'x', 1)).toBe('/b')
  expect(b.call(-11, null).err).toBe(0)
  expect(b.closedBecause).toBe('client_closed_session')
  expect(a.getChildren('/')).toEqual(['zookeeper', 'a'])
})
