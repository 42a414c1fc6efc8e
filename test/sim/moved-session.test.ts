// A session that moved, and what it wrote before that is still on its way (S15, ZOOKEEPER-710).
import { expect, test, vi } from 'vitest'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { SessionTracker } from '../../src/core/server/session-tracker.ts'
import { instead } from './planted/replaced.ts'
import { Scenario } from './scenario.ts'
import type { SimHost } from './sim-host.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

/** A client leaves a follower whose way to the leader is held up, and writes at the leader. */
function lateWrites(): Scenario {
  const scenario = new Scenario({ clients: 1 })
  const { world } = scenario
  scenario.serving(...world.hosts)
  const { leader, others } = scenario
  const [client] = world.clients
  const [left] = others
  if (client === undefined || left === undefined) throw new Error('a client, a follower')
  const moveTo = (host: SimHost): void => {
    const isThere = (): boolean => {
      if (client.isConnected && client.server !== host) client.move()
      return client.isConnected && client.server === host
    }
    scenario.until(isThere, `the client is at ${host.name}`)
  }
  moveTo(left)
  // For less time than it takes them to miss each other.
  world.network.cut(left.sid, leader.sid, 'stall')
  scenario.until(() => client.pendingCount > 2, 'writes are on their way')
  moveTo(leader)
  const before = world.newestAcked
  scenario.until(() => world.newestAcked > before, 'it writes there')
  expect(left.isUp && leader.isLeading).toBe(true)
  world.network.heal()
  world.converge()
  return scenario
}

test('what a session wrote before it moved does not come after what it wrote since', () => {
  expect(lateWrites().world.violation).toBe(null)
})

test('it would where the leader did not ask whose session it is, and that is found out', () => {
  const remove = instead(SessionTracker.prototype, 'check', (check) => {
    return function (this: SessionTracker, id, owner) {
      const code = check.call(this, id, owner)
      return code === ErrorCode.SESSIONMOVED ? ErrorCode.OK : code
    }
  })
  try {
    expect(lateWrites().world.violation?.checker).toBe('SessionOrder')
  } finally {
    remove()
  }
})
