import { describe, expect, test } from 'vitest'
import { SILENCE_LIMIT_MS } from '../../../src/core/zab/constants.ts'
import { EffectList } from '../../../src/core/zab/effect-list.ts'
import { LinkMonitor } from '../../../src/core/zab/link-monitor.ts'
import { decodePulse, PulseKind } from '../../../src/core/zab/packets.ts'
import { sid } from './rig.ts'

class Watch {
  readonly out: EffectList = new EffectList()
  readonly monitor: LinkMonitor
  nowMs = 0

  constructor() {
    this.monitor = new LinkMonitor(this.out, 0, SILENCE_LIMIT_MS)
    this.monitor.onUp(sid(2), 0)
    this.monitor.onHeard(sid(2), 0)
  }

  /** Ticks of 50 ms; the peer is heard every `heardEveryMs`. */
  wait(ms: number, heardEveryMs = Infinity): string[] {
    const dead: string[] = []
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 50
      if (this.nowMs % heardEveryMs === 0) this.monitor.onHeard(sid(2), this.nowMs)
      dead.push(...this.monitor.onTime(this.nowMs).map(({ reason }) => reason))
      if (dead.length > 0) this.monitor.onDown(sid(2))
    }
    return dead
  }

  sent(): number[] {
    return this.out.take().map((effect) => {
      return effect.kind === 'send' ? decodePulse(effect.packet).kind : 0
    })
  }
}

describe('pulses', () => {
  test('go out every 250 ms', () => {
    const watch = new Watch()
    watch.wait(1000, 50)
    expect(watch.sent()).toEqual([1, 1, 1, 1])
  })

  test('go out at once on a link that comes later', () => {
    const watch = new Watch()
    watch.wait(50, 50)
    expect(watch.sent()).toEqual([1])
    watch.monitor.onUp(sid(3), watch.nowMs)
    watch.monitor.onTime(watch.nowMs)
    expect(watch.out.take()).toMatchObject([{ kind: 'send', peer: sid(3), lane: 'pulse' }])
  })

  test('are answered with the value they brought, and measure the round trip', () => {
    const watch = new Watch()
    watch.monitor.onPulse(sid(2), { kind: PulseKind.PING, value: 77.5 }, 0)
    const [pong] = watch.out.take()
    expect(pong).toMatchObject({ kind: 'send', lane: 'pulse', when: 'now' })
    watch.monitor.onPulse(sid(2), { kind: PulseKind.PONG, value: 30 }, 42.5)
    expect(watch.monitor.status(sid(2), 50).rttMs).toBe(12.5)
    watch.monitor.onPulse(sid(2), { kind: PulseKind.PONG, value: 9999 }, 43)
    watch.monitor.onPulse(sid(2), { kind: PulseKind.PONG, value: -5 }, 43)
    expect(watch.monitor.status(sid(2), 50).rttMs).toBe(12.5)
  })

  test('neither go out nor are answered while the storage hangs', () => {
    const watch = new Watch()
    watch.monitor.stalled = true
    watch.wait(1000, 50)
    watch.monitor.onPulse(sid(2), { kind: PulseKind.PING, value: 1 }, 0)
    expect(watch.sent()).toEqual([])
  })
})

describe('a link', () => {
  test('dies of silence after 1200 ms', () => {
    const watch = new Watch()
    expect(watch.wait(1200)).toEqual([])
    expect(watch.wait(50)).toEqual(['silent for 1250 ms'])
    expect(watch.monitor.status(sid(2), 3000)).toMatchObject({ up: false, lastHeardMsAgo: 3000 })
  })

  test('lives as long as something comes', () => {
    expect(new Watch().wait(60_000, 1200)).toEqual([])
  })

  test('that is suspected has 300 ms to prove itself', () => {
    const watch = new Watch()
    watch.wait(300, 50)
    watch.sent()
    watch.monitor.onSuspect(sid(2), watch.nowMs)
    expect(watch.sent()).toEqual([PulseKind.PING])
    expect(watch.wait(250)).toEqual([])
    expect(watch.wait(50)).toEqual(['suspected, and silent for 300 ms'])
  })

  test('that answers a suspicion lives on', () => {
    const watch = new Watch()
    watch.monitor.onSuspect(sid(2), watch.nowMs)
    watch.wait(200)
    watch.monitor.onHeard(sid(2), watch.nowMs)
    expect(watch.wait(1000)).toEqual([])
  })

  test('is up only when the other end was heard', () => {
    const watch = new Watch()
    watch.monitor.onUp(sid(3), 0)
    expect([watch.monitor.isOpen(sid(3)), watch.monitor.isUp(sid(3))]).toEqual([true, false])
    expect(watch.monitor.onHeard(sid(3), 10)).toBe(true)
    expect(watch.monitor.onHeard(sid(3), 20)).toBe(false)
    expect(watch.monitor.isUp(sid(3))).toBe(true)
  })
})

describe('after a sleep', () => {
  test('silence is forgiven once', () => {
    const watch = new Watch()
    watch.nowMs = 60_000
    watch.monitor.onSlept(watch.nowMs)
    expect(watch.monitor.onTime(watch.nowMs)).toEqual([])
    // Nothing came since: a member that wakes once a minute must notice that.
    watch.nowMs = 120_000
    watch.monitor.onSlept(watch.nowMs)
    expect(watch.monitor.onTime(watch.nowMs)).toHaveLength(1)
  })

  test('and again when the peer was heard meanwhile', () => {
    const watch = new Watch()
    for (let minute = 1; minute < 5; minute++) {
      watch.nowMs = minute * 60_000
      watch.monitor.onSlept(watch.nowMs)
      expect(watch.monitor.onTime(watch.nowMs)).toEqual([])
      watch.monitor.onHeard(sid(2), watch.nowMs)
    }
  })
})
