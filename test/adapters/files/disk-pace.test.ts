import { describe, expect, test } from 'vitest'
import { DiskPace } from '../../../src/adapters/files/disk-pace.ts'

const SMALL = 200

/** A disk and a loop whose times are said. */
class Machine {
  nowMs = 1_000
  idleMs = 500
  readonly pace: DiskPace = new DiskPace({ nowMs: () => this.nowMs, idleMs: () => this.idleMs })

  /** What `begin` said, for a write that comes after work and sleep of the loop. */
  write(tookMs: number, { workMs = 0.1, sleepMs = 0.1, bytes = SMALL } = {}): boolean {
    this.nowMs += workMs + sleepMs
    this.idleMs += sleepMs
    const waits = this.pace.begin(bytes)
    this.nowMs += tookMs
    // While a thread writes, the loop sleeps.
    if (!waits) this.idleMs += tookMs
    this.pace.end()
    return waits
  }

  writes(count: number, tookMs: number): boolean[] {
    return Array.from({ length: count }, () => this.write(tookMs))
  }
}

function trusted(): Machine {
  const machine = new Machine()
  machine.writes(40, 0.2)
  return machine
}

describe('a write is waited for on the loop', () => {
  test('when the disk has been quick for some time', () => {
    const waits = new Machine().writes(12, 0.2)
    expect(waits).toEqual([...Array<boolean>(8).fill(false), ...Array<boolean>(4).fill(true)])
  })

  test('never when it is large', () => {
    const machine = trusted()
    expect(machine.write(0.2, { bytes: 1_000_000 })).toBe(false)
    expect(machine.write(0.2)).toBe(true)
  })

  test('never when the loop had no time to sleep', () => {
    const machine = trusted()
    expect(machine.write(0.2, { workMs: 5, sleepMs: 0.1 })).toBe(false)
    expect(machine.write(0.2, { workMs: 5, sleepMs: 5 })).toBe(true)
  })

  test('not while the disk is slow, and again when it is quick', () => {
    const machine = trusted()
    expect(machine.writes(3, 4)).toEqual([true, true, true])
    expect(machine.writes(50, 4)).not.toContain(true)
    const waits = machine.writes(40, 0.2)
    expect(waits.indexOf(true)).toBeGreaterThan(8)
    expect(waits.at(-1)).toBe(true)
  })

  test('not for long after it was stuck once', () => {
    const machine = trusted()
    expect(machine.write(1_000)).toBe(true)
    const waits = machine.writes(100, 0.2)
    expect(waits.indexOf(true)).toBeGreaterThan(64)
    expect(waits.at(-1)).toBe(true)
  })
})
