import { describe, expect, it } from 'vitest'
import { OWN_METRICS } from '../../../src/edge/admin/server-metrics.ts'
import { ABSENT_METRICS } from '../../../src/edge/admin/absent-metrics.ts'
import { AvgMinMax, Distribution } from '../../../src/edge/admin/distribution.ts'
import { metricsRegistry } from '../../../src/edge/admin/prometheus.ts'
import { administeredMember } from './administered-member.ts'
import { ZOOKEEPER_METRICS } from './zookeeper-metrics.ts'

describe('metrics', () => {
  it('every one of ZooKeeper’s is either there or on the list with a reason (O19–O26)', () => {
    using server = administeredMember()
    const here = server.administration.metrics.map(({ name }) => name)
    const absent = Object.values(ABSENT_METRICS).flat()
    const known = new Set([...here, ...absent])
    expect(ZOOKEEPER_METRICS.filter((name) => !known.has(name))).toEqual([])
    expect(absent.filter((name) => here.includes(name))).toEqual([])
    const theirs = new Set(ZOOKEEPER_METRICS)
    expect([...here, ...absent].filter((name) => !theirs.has(name))).toEqual([...OWN_METRICS])
    expect(new Set(here).size).toBe(here.length)
  })

  it('mntr and Prometheus tell the same (O9, O27)', async () => {
    using server = administeredMember()
    const client = server.client().connect()
    client.create('/a')
    client.getData('/a')
    client.exists('/a', true)
    client.setData('/a', 'b')
    const rows = server.word('mntr')
    expect(rows).toMatch(/^zk_version\t3\.9\S+, built on [^\n]+\nzk_server_state\tstandalone\n/)
    const { metrics, view } = server.administration
    const registry = metricsRegistry({ metrics, elapsedMs: () => view.now().elapsedMs })
    const text = await registry.metrics()
    for (const [mntr, prometheus] of [
      ['zk_avg_latency\t0.0', 'avg_latency 0'],
      ['zk_num_alive_connections\t1', 'num_alive_connections 1'],
      ['zk_global_sessions\t1', 'global_sessions 1'],
      ['zk_op_count_create\t1', 'op_count_create 1'],
      ['zk_op_count_create_session\t1', 'op_count_create_session 1'],
      ['zk_cnt_updatelatency\t3', 'updatelatency_count 3'],
      ['zk_cnt_readlatency\t2', 'readlatency_count 2'],
      ['zk_p99_readlatency\t0', 'readlatency{quantile="0.99"} '],
      ['zk_cnt_node_changed_watch_count\t1', 'node_changed_watch_count_sum 1'],
      ['zk_looking_count\t1', '# TYPE looking_count counter'],
    ] as const) {
      expect(rows).toContain(`${mntr}\n`)
      expect(text).toContain(prometheus)
    }
    // Those of a leader and of an ensemble are not those of a server alone.
    expect(rows).not.toMatch(/zk_(quorum_size|learners|peer_state)/)
  })

  it('counts who hears of one change, and bytes both ways', () => {
    using server = administeredMember()
    const [first, second] = [server.client().connect(), server.client().connect()]
    first.create('/a')
    first.getData('/a', true)
    second.getData('/a', true)
    first.setData('/a', 'b')
    first.getData('/a', true)
    first.setData('/a', 'c')
    const rows = server.word('mntr') ?? ''
    expect(rows).toContain('zk_max_node_changed_watch_count\t2\n')
    expect(rows).toContain('zk_min_node_changed_watch_count\t1\n')
    expect(rows).toContain('zk_sum_node_changed_watch_count\t3\n')
    const bytes = (name: string): number =>
      Number(new RegExp(`zk_${name}\\t(\\d+)`).exec(rows)?.[1])
    expect(bytes('watch_bytes')).toBeGreaterThan(3 * 16)
    expect(bytes('bytes_received_count')).toBeGreaterThan(100)
    expect(bytes('last_client_response_size')).toBe(16 + 68)
  })
})

describe('figures', () => {
  it('average, minimum and maximum; nothing measured is 0', () => {
    const figure = new AvgMinMax()
    expect([figure.average, figure.min, figure.max]).toEqual([0, 0, 0])
    for (const value of [3, 1, 1.7]) figure.add(value)
    expect([figure.average, figure.min, figure.max, figure.count]).toEqual([1.9, 1, 3, 3])
    figure.reset()
    expect([figure.average, figure.count]).toEqual([0, 0])
  })

  it('quantiles are right within a tenth, and forget after a while', () => {
    const figure = new Distribution()
    expect(figure.quantile(0.5)).toBeNaN()
    figure.turn(0)
    for (let value = 1; value <= 1000; value++) figure.add(value)
    for (const fraction of [0.5, 0.95, 0.99, 0.999]) {
      const wanted = fraction * 1000
      expect(Math.abs(figure.quantile(fraction) - wanted)).toBeLessThan(wanted / 10)
    }
    figure.turn(60_000)
    expect(figure.quantile(0.5)).toBeGreaterThan(0)
    figure.turn(120_000)
    expect(figure.quantile(0.5)).toBeNaN()
    figure.add(1e12)
    figure.add(0)
    expect(figure.quantile(0)).toBeLessThan(1)
  })
})
