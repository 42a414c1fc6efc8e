/** Figures that the core tells, by their values (O19–O25, D58). */
import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { createTTLRequestRecord } from '../../../src/core/jute/proto-records.ts'
import { metricsRegistry } from '../../../src/edge/admin/prometheus.ts'
import { NodeEnsemble } from '../node-ensemble.ts'
import { createRequest } from '../../core/server/test-client.ts'
import { administeredMember, ASKER, type AdministeredMember } from './administered-member.ts'
import { eventually } from '../../eventually.ts'

/** What mntr says of one figure; null: nothing. */
function valueOf(rows: string | null, name: string): number | null {
  const found = new RegExp(`^zk_${name}\\t(\\S+)$`, 'm').exec(rows ?? '')
  return found === null ? null : Number(found[1])
}

function values(server: AdministeredMember, ...names: readonly string[]): (number | null)[] {
  const rows = server.word('mntr')
  return names.map((name) => valueOf(rows, name))
}

async function prometheus({ administration }: AdministeredMember): Promise<string> {
  const { metrics, view } = administration
  return metricsRegistry({ metrics, elapsedMs: () => view.now().elapsedMs }).metrics()
}

describe('by the first part of a path (D58)', () => {
  it('bytes read and written, as ZooKeeper sums them', async () => {
    using server = administeredMember()
    const client = server.client().connect()
    client.create('/app', 'four')
    client.create('/app/b', '12')
    client.create('/other')
    client.setData('/app', '123456')
    client.getData('/app')
    client.exists('/app/b')
    client.exists('/app/none')
    client.getChildren('/app')
    client.getChildren('/')
    client.delete('/app/b')
    const sums = ['write_per_namespace', 'read_per_namespace'].flatMap((name) =>
      ['cnt', 'sum', 'max'].map((of) => `${of}_app_${name}`),
    )
    // Each path and data; of what is read ZooKeeper adds 68 for the Stat.
    const written = [4 + 4, 6 + 2, 4 + 6, 6 + 0]
    const read = [4 + 6 + 68, 6 + 68, 4 + 1 + 68]
    expect(values(server, ...sums)).toEqual(
      [written, read].flatMap((all) => [
        all.length,
        all.reduce((sum, one) => sum + one),
        Math.max(...all),
      ]),
    )
    expect(values(server, 'cnt_other_write_per_namespace')).toEqual([1])
    // The root is none.
    expect(server.word('mntr')).not.toMatch(/_sum__/)
    const text = await prometheus(server)
    expect(text).toContain('write_per_namespace_sum{key="app"} 32\n')
    expect(text).toContain('read_per_namespace_count{key="app"} 3\n')
  })

  it('quotas: limits, what is used, and what was refused', async () => {
    using server = administeredMember({}, { enforcesQuota: true })
    const client = server.client().connect()
    for (const path of ['/app', '/app/x', '/app/y']) client.create(path, '12345')
    const quota = '/zookeeper/quota'
    for (const [at, limits] of [
      ['/app/x', 'count=9,bytes=-1=;countHardLimit=2'],
      ['/app/y', 'count=5,bytes=70'],
    ] as const) {
      for (const path of ['/app', at]) client.create(quota + path)
      client.create(`${quota}${at}/zookeeper_limits`, limits)
      client.create(`${quota}${at}/zookeeper_stats`, 'count=0,bytes=0')
    }
    client.create('/app/x/1')
    client.create('/app/x/2')
    client.create('/app/x/3')
    expect(
      values(
        server,
        'app_quota_count_limit_per_namespace',
        'app_quota_bytes_limit_per_namespace',
        'app_quota_count_usage_per_namespace',
        'app_quota_bytes_usage_per_namespace',
        'app_quota_exceeded_error_per_namespace',
      ),
      // A hard limit counts instead of the soft one, and no limit is −1, also in a sum.
    ).toEqual([2 + 5, -1 + 70, 2 + 1, 10, 2])
    const text = await prometheus(server)
    expect(text).toContain('quota_count_limit_per_namespace{key="app"} 7\n')
    expect(text).toContain('quota_exceeded_error_per_namespace{key="app"} 2\n')
  })
})

describe('of requests and connections', () => {
  it('tokens and the chance to be refused (O31)', () => {
    using server = administeredMember(
      {},
      {
        connectionTokensMax: 3,
        connectionTokenFillMs: 1_000_000,
        connectionBlue: { freezeMs: 0, dropIncrease: 0.25, dropDecrease: 0, decreaseRatio: 0 },
      },
    )
    for (let i = 0; i < 5; i++) {
      server.member.advance(50)
      server.client().connect()
    }
    // Three of five got their tokens: one, two and three were taken then.
    const names = ['cnt', 'sum', 'max'].map((of) => `${of}_connection_token_deficit`)
    expect(values(server, ...names, 'connection_drop_probability')).toEqual([3, 6, 3, 0.5])
  })

  it('nodes with a time to live come and go (O24)', () => {
    using server = administeredMember(
      {},
      { extendedTypesEnabled: true, containerCheckIntervalMs: 1_000 },
    )
    const client = server.client().connect()
    const ttl = { ...createRequest('/gone', '', 5), ttl: 10n }
    client.call(OpCode.createTTL, createTTLRequestRecord, ttl)
    expect(values(server, 'ttl_node_created_count', 'ttl_node_deleted_count')).toEqual([1, 0])
    server.member.advance(3_000)
    expect(values(server, 'ttl_node_created_count', 'ttl_node_deleted_count')).toEqual([1, 1])
  })
})

describe('of single proposals (O20)', () => {
  it('the times of each, on their way through three members', async () => {
    await using ensemble = await NodeEnsemble.plan(3, 1, { wordsAllowed: ['*'] })
    await ensemble.startAll()
    const leader = ensemble.leader!
    const follower = [1, 2, 3].find((sid) => sid !== leader)!
    await using client = await ensemble.client(follower)
    for (let i = 0; i < 10; i++) await client.create(`/n${i}`, 'x')
    const rows = (sid: number): string =>
      ensemble.servers.get(sid)!.administration.answerWord('mntr', ASKER) ?? ''
    const count = (sid: number, name: string): number => valueOf(rows(sid), `cnt_${name}`) ?? -1
    // The session and ten nodes, and nothing twice.
    await eventually(() => {
      expect(count(leader, 'quorum_ack_latency')).toBe(11)
      expect(count(leader, 'propagation_latency')).toBe(11)
      expect(count(leader, 'proposal_ack_creation_latency')).toBe(11)
      expect(count(leader, 'proposal_latency')).toBe(0)
      expect(count(follower, 'proposal_latency')).toBe(11)
      expect(count(follower, 'proposal_ack_creation_latency')).toBe(11)
      expect(count(follower, 'commit_propagation_latency')).toBe(11)
      expect(count(follower, 'propagation_latency')).toBe(11)
      expect(count(follower, 'quorum_ack_latency')).toBe(0)
      expect(count(4, 'commit_propagation_latency')).toBe(11)
    })
    expect(valueOf(rows(leader), 'max_quorum_ack_latency')).toBeLessThan(10_000)
    await client.sync('/')
    expect(valueOf(rows(leader), 'pending_syncs')).toBe(0)
    expect(valueOf(rows(follower), 'pending_syncs')).toBe(null)
    expect(count(leader, 'dbinittime')).toBe(1)
    // Two acks each made it committed; a third one that comes later tells nothing.
    const acks = [1, 2, 3].map((sid) => Math.max(0, count(leader, `${sid}_ack_latency`)))
    expect(Math.max(...acks)).toBeLessThanOrEqual(11)
    expect(acks.reduce((sum, one) => sum + one)).toBeGreaterThanOrEqual(22)
    // What each of them is, did and waited for (O19–O21, O25).
    const of = (sid: number, ...names: readonly string[]): (number | null)[] => {
      const text = rows(sid)
      return names.map((name) => valueOf(text, name))
    }
    const counts = ['proposal_count', 'commit_count', 'learner_proposal_received_count']
    const learned = 'learner_commit_received_count'
    expect(of(leader, ...counts, learned)).toEqual([11, 11, 0, 0])
    expect(of(follower, ...counts, learned)).toEqual([0, 0, 11, 11])
    expect(of(4, learned, 'op_count_create')).toEqual([11, 0])
    expect(of(follower, 'op_count_create', 'op_count_create_session')).toEqual([10, 1])
    const learners = ['learners', 'synced_followers', 'synced_observers', 'quorum_size']
    expect(of(leader, ...learners)).toEqual([3, 2, 1, 3])
    expect(of(follower, ...learners)).toEqual([null, null, null, 3])
    expect(of(follower, 'global_sessions', 'num_alive_connections')).toEqual([1, 1])
    for (const sid of [leader, follower]) {
      const [elections, looking] = of(sid, 'cnt_election_time', 'looking_count')
      expect(elections).toBeGreaterThanOrEqual(1)
      expect(elections).toBe(looking)
    }
    expect(of(leader, 'cnt_leader_unavailable_time', 'cnt_unavailable_time')).toEqual([1, 0])
    expect(of(follower, 'cnt_leader_unavailable_time', 'cnt_unavailable_time')).toEqual([0, 1])
    expect(of(follower, 'cnt_follower_sync_time', 'cnt_observer_sync_time')).toEqual([1, 0])
    expect(of(4, 'cnt_follower_sync_time', 'cnt_observer_sync_time')).toEqual([0, 1])
    expect(valueOf(rows(leader), 'diff_count')).toBeGreaterThanOrEqual(3)
    expect(count(follower, 'fsynctime')).toBeGreaterThanOrEqual(1)
  })
})
