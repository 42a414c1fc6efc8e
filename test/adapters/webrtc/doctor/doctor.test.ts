import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { diagnose } from '../../../../src/adapters/webrtc/doctor/diagnosis.ts'
import {
  decodeDoctorMessage,
  DOCTOR_MESSAGE_MAX_BYTES,
  encodeDoctorMessage,
} from '../../../../src/adapters/webrtc/doctor/doctor-message.ts'
import { isDoctorMessage } from '../../../../src/adapters/webrtc/doctor/doctor-mark.ts'
import { Doctor, EXAMINE_LIMIT_MS } from '../../../../src/adapters/webrtc/doctor/doctor.ts'
import type { LinkFacts } from '../../../../src/adapters/webrtc/doctor/link-facts.ts'
import { parsePageReport } from '../../../../src/adapters/webrtc/doctor/page-report.ts'
import { NO_ICE_SETTINGS } from '../../../../src/adapters/webrtc/ice-settings.ts'
import { encodeMeshSignal, decodeMeshSignal } from '../../../../src/adapters/webrtc/mesh-signal.ts'
import { A, apart, B, C, counts, ice, link, page } from './reports.ts'

interface Patient {
  readonly doctor: Doctor
  links: LinkFacts[]
  isDeaf: boolean
  gathers: number
  tries: number
}

function facts(peerId: string, changes: Partial<LinkFacts> = {}): LinkFacts {
  const connection = { stage: 'open', carrier: 'channel', ice: null } as const
  return {
    ...{ peerId, state: 'connected', linkId: 'x', reason: null, isInitiator: true, attempts: 1 },
    ...{ upForMs: 1_000, current: connection, lastEnd: null },
    ...changes,
  }
}

const room = new Map<string, Patient>()
let told: string[] = []

function enter(peer: string): Patient {
  const patient: Patient = {
    ...{ links: [], isDeaf: false, gathers: 0, tries: 0 },
    doctor: new Doctor({
      self: peer,
      mesh: {
        facts: () => patient.links,
        stats: async () => null,
        tryAll: () => void patient.tries++,
        tell: (to, bytes) => {
          told.push(`${peer[0] ?? ''}>${to[0] ?? ''} ${decodeDoctorMessage(bytes)?.kind ?? 'bad'}`)
          const other = room.get(to)
          setTimeout(() => {
            if (other?.isDeaf === false) other.doctor.receive(peer, bytes.slice())
          }, 1)
        },
      },
      listed: () => [...room.keys()],
      isBrokerJoined: () => true,
      settings: NO_ICE_SETTINGS,
      build: 'test',
      isHidden: () => false,
      about: (id) => ({ name: `page ${id[0] ?? ''}`, sid: null }),
      silentMs: () => 10,
      now: () => performance.now(),
      gather: async () => {
        patient.gathers++
        return { isSupported: true, isComplete: true, counts: counts({ host: 1 }), errors: [] }
      },
    }),
  }
  room.set(peer, patient)
  return patient
}

beforeEach(() => {
  vi.useFakeTimers()
  room.clear()
  told = []
})
afterEach(() => void vi.useRealTimers())

describe('the doctor', () => {
  test('gathers what every page says, and says when all is well', async () => {
    const [a, b] = [enter(A), enter(B)]
    a.links = [facts(B)]
    b.links = [facts(A)]
    const progress: string[] = []
    const examining = a.doctor.examine({ onProgress: (n, of) => progress.push(`${n}/${of}`) })
    await vi.advanceTimersByTimeAsync(100)
    const { findings, reports } = await examining
    expect(findings.map((one) => one.code)).toEqual(['all-connected'])
    expect(reports).toHaveLength(2)
    expect(progress).toEqual(['1/2', '2/2'])
    expect(told).toEqual(['a>b examine', 'b>a report'])
  })

  test('waits for attempts to end, on both sides, and names pairs of others', async () => {
    const [a, b, c] = [enter(A), enter(B), enter(C)]
    a.links = [facts(B), facts(C)]
    b.links = [facts(A), facts(C, { state: 'connecting', current: null })]
    c.links = [facts(A), facts(B, { state: 'connecting', current: null })]
    const examining = a.doctor.examine()
    await vi.advanceTimersByTimeAsync(5_000)
    const lastEnd = { ...facts(B).current!, stage: 'ice', ice: ice({ host: 1 }), reason: 'failed' }
    for (const [page, other] of [
      [b, C],
      [c, B],
    ] as const) {
      const end = { ...lastEnd, stage: 'ice', agoMs: 100 } as const
      page.links = [facts(A), facts(other, { state: 'waiting', current: null, lastEnd: end })]
    }
    await vi.advanceTimersByTimeAsync(1_000)
    const { findings, tookMs } = await examining
    expect(findings.map((one) => [one.code, ...one.pages])).toEqual([
      ['local-only', 'page b', 'page c'],
    ])
    expect(tookMs).toBeLessThan(EXAMINE_LIMIT_MS)
    expect([a.tries, b.tries, c.tries]).toEqual([1, 1, 1])
  })

  test('settles when a page is silent, asking it twice', async () => {
    const [a, b] = [enter(A), enter(B)]
    a.links = [facts(B)]
    b.isDeaf = true
    const examining = a.doctor.examine({ limitMs: 4_000 })
    await vi.advanceTimersByTimeAsync(4_000)
    const { findings, tookMs } = await examining
    expect(findings.map((one) => one.code)).toEqual(['page-silent'])
    expect(tookMs).toBe(4_000)
    expect(told).toEqual(['a>b examine', 'a>b examine'])
  })

  test('can be stopped, and leaves no timer', async () => {
    const [a, b] = [enter(A), enter(B)]
    b.isDeaf = true
    const stop = new AbortController()
    const examining = a.doctor.examine({ signal: stop.signal })
    await vi.advanceTimersByTimeAsync(500)
    stop.abort(new Error('enough'))
    await expect(examining).rejects.toThrow('enough')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(0)
    await expect(a.doctor.examine({ signal: stop.signal })).rejects.toThrow('enough')
  })

  test('a page asked again and again examines itself once in a while', async () => {
    const [a, b] = [enter(A), enter(B)]
    b.links = [facts(A)]
    for (let i = 0; i < 20; i++) {
      const question = encodeDoctorMessage({ kind: 'examine', id: i, limitMs: 1_000 })
      b.doctor.receive(A, question)
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(b.gathers).toBe(1)
    expect(a.gathers).toBe(0)
  })

  test('a page speaks for itself only, and only when it was asked', async () => {
    const [a, b] = [enter(A), enter(B)]
    b.isDeaf = true
    const examining = a.doctor.examine({ limitMs: 3_000 })
    await vi.advanceTimersByTimeAsync(10)
    const forged = encodeDoctorMessage({ kind: 'report', id: 1, report: page(B, [link(A)]) })
    a.doctor.receive(C, forged)
    a.doctor.receive(B, encodeDoctorMessage({ kind: 'report', id: 9, report: page(B, [link(A)]) }))
    await vi.advanceTimersByTimeAsync(3_000)
    expect((await examining).reports.map((report) => report.peerId)).toEqual([A])
  })
})

describe('messages between doctors', () => {
  test('come back as they were, and are no signal of the mesh', () => {
    const report = page(A, [link(B), apart(C, ice({ host: 2, srflx: 1 }, { mdns: 1 }))])
    const bytes = encodeDoctorMessage({ kind: 'report', id: 7, report })
    expect(decodeDoctorMessage(bytes)).toEqual({ kind: 'report', id: 7, report })
    expect(decodeMeshSignal(bytes)).toBeNull()
    expect(isDoctorMessage(encodeMeshSignal({ kind: 'ask', attempt: 1 }))).toBe(false)
    const question = { kind: 'examine', id: 1, limitMs: 1e9 } as const
    expect(decodeDoctorMessage(encodeDoctorMessage(question))).toMatchObject({ limitMs: 30_000 })
  })

  test('a long report is cut to what the broker lets through, and says so', () => {
    const many = Array.from({ length: 64 }, (_, i) =>
      apart(i.toString(16).padStart(32, '0'), ice({ host: 1 })),
    )
    const bytes = encodeDoctorMessage({ kind: 'report', id: 1, report: page(A, many) })
    expect(bytes.length).toBeLessThanOrEqual(DOCTOR_MESSAGE_MAX_BYTES)
    const decoded = decodeDoctorMessage(bytes)
    if (decoded?.kind !== 'report') throw new Error('a report')
    expect(decoded.report.isCut).toBe(true)
    expect(decoded.report.links.length).toBeGreaterThan(8)
  })

  test('anything damaged is refused, field by field', () => {
    const good = page(A, [apart(B, ice({ host: 1 }))])
    expect(parsePageReport(JSON.parse(JSON.stringify(good)))).toEqual(good)
    const damaged: unknown[] = [null, 7, 'x', [], {}, { ...good, peerId: 'x' }]
    for (const name of ['name', 'policy', 'gather', 'links', 'turnServers', 'build']) {
      damaged.push({ ...good, [name]: undefined }, { ...good, [name]: { no: 1 } })
    }
    const [first] = good.links
    for (const name of ['peerId', 'state', 'stage', 'attempts', 'ice', 'silentMs']) {
      damaged.push({ ...good, links: [{ ...first, [name]: 'x' }] })
    }
    damaged.push({ ...good, links: Array(65).fill(first) })
    for (const one of damaged) expect(parsePageReport(one), JSON.stringify(one)).toBeNull()
    // What passed can be judged without a surprise.
    expect(() =>
      diagnose({ self: A, asked: [], reports: [good], isBrokerJoined: true }),
    ).not.toThrow()
  })
})
