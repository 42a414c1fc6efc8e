// A recording judged afterwards: of the true ensemble it finds nothing, and whatever is made wrong
// in a recording is found by the promise that it breaks.
import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  judgeHistory,
  PROMISES,
  type Promised,
  type Verdict,
} from '../../src/history/judge-history.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { decodeTxn, encodeTxn, type SimpleTxn } from '../../src/core/jute/txn.ts'
import { isWrite, type Call } from '../../src/history/operation.ts'
import {
  recordingFromText,
  recordingToText,
  type RecordedEvent,
  type Recording,
} from '../../src/history/recording.ts'
import type { RecordedNode } from '../../src/history/recorded-tree.ts'
import { listen } from '../sim/checkers/all-checkers.ts'
import { SimRecording } from '../sim/sim-recording.ts'
import { World } from '../sim/world.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

type Answer = Extract<RecordedEvent, { kind: 'answer' }>
type Changed = Partial<Recording> | null

const recorded = new Map<number, Recording>()

function recordSeed(seed: number): Recording {
  const known = recorded.get(seed) ?? runSeed(seed)
  recorded.set(seed, known)
  return known
}

function runSeed(seed: number): Recording {
  const world = new World({ seed, draw: { restores: false } })
  const recording = new SimRecording(world)
  listen(world)
  world.run()
  expect(world.violation).toBe(null)
  return recording.finish(`seed ${seed}`)
}

let recording: Recording
let calls: ReadonlyMap<string, Call>

beforeAll(() => {
  recording = recordSeed(2)
  calls = callsOf(recording)
})

function callsOf({ events }: Recording): ReadonlyMap<string, Call> {
  return new Map(events.flatMap((e) => (e.kind === 'call' ? [[keyOf(e), e.call]] : [])))
}

function keyOf({ session, xid }: { readonly session: bigint; readonly xid: number }): string {
  return `${session}/${xid}`
}

function against(promised: Promised, changed: Changed): readonly string[] {
  if (changed === null) throw new Error('nothing to change in this recording')
  const verdict = judgeHistory({ ...recording, ...changed })
  return verdict.against(promised).map(({ checker }) => checker)
}

/** The first good answer to such a call, changed. */
function withAnswer(
  isIt: (answer: Answer, call: Call) => boolean,
  change: (answer: Answer) => RecordedEvent,
): Changed {
  const { events } = recording
  const at = events.findIndex((event) => {
    if (event.kind !== 'answer' || event.outcome.err !== 0) return false
    const call = calls.get(keyOf(event))
    return call !== undefined && isIt(event, call)
  })
  const found = events[at]
  return found?.kind === 'answer' ? { events: events.with(at, change(found)) } : null
}

function withOutcome(answer: Answer, outcome: Partial<Answer['outcome']>): RecordedEvent {
  return { ...answer, outcome: { ...answer.outcome, ...outcome } }
}

describe('the true ensemble', () => {
  test.each([1, 9])('keeps every promise in the recording of seed %i', (seed) => {
    const verdict = judgeHistory(recordSeed(seed), { staleAfterMs: 5000 })
    expect(verdict.violations).toEqual([])
    expect(verdict.operations).toBeGreaterThan(50)
    expect(verdict.checks).toBeGreaterThan(verdict.operations)
  })

  test('and in the recording that went through a text', () => {
    const again = recordingFromText(recordingToText(recording))
    expect(again).toEqual(recording)
    expect(judgeHistory(again)).toMatchObject({ violations: [] })
  })

  test('a text of something else is refused', () => {
    expect(() => recordingFromText('{"format":"other"}')).toThrow('zabra-history-1')
  })
})

describe('linearizable', () => {
  test('is broken by a read of other data', () => {
    const changed = withAnswer(
      (_, call) => call.kind === 'get',
      (answer) => withOutcome(answer, { data: Uint8Array.of(1, 2, 3) }),
    )
    expect(against('linearizable', changed)).toContain('ReadsShowTheLog')
  })

  test('is broken by a session that goes back in time', () => {
    const last = recording.events.findLast((e) => e.kind === 'answer' && e.outcome.zxid > 0n)
    if (last?.kind !== 'answer') throw new Error('no answer')
    const events = [...recording.events]
    events[events.indexOf(last)] = withOutcome(last, { zxid: 1n })
    expect(against('linearizable', { events })).toContain('SessionOrder')
  })

  test('is kept where another client took the session over, and an answer was on its way', () => {
    const last = recording.events.findLast((e) => e.kind === 'answer' && e.outcome.zxid > 0n)
    if (last?.kind !== 'answer') throw new Error('no answer')
    const { session, outcome, atMs } = last
    const about = { session, client: 1_000_000, atMs: atMs - 1 }
    const zxid = recording.members[0]?.zxid ?? 0n
    expect(zxid).toBeGreaterThan(outcome.zxid)
    const events: readonly RecordedEvent[] = [
      ...recording.events,
      { kind: 'connected', server: outcome.server, isNew: true, ...about },
      { kind: 'call', xid: 1_000_000, call: { kind: 'sync', path: '/' }, ...about },
      {
        ...{ kind: 'answer', xid: 1_000_000, ...about },
        outcome: { atMs: about.atMs, zxid, err: 0, server: outcome.server },
      },
    ]
    expect(against('linearizable', { events })).toEqual([])
  })

  test('is broken by a write that stands before one that was acknowledged when it began', () => {
    const writes = recording.events.filter((e): e is Answer => {
      const isGood = e.kind === 'answer' && e.outcome.err === 0
      return isGood && isWrite(calls.get(keyOf(e)) ?? { kind: 'sync', path: '/' })
    })
    const [first, last] = [writes[0], writes.at(-1)]
    if (first === undefined || last === undefined) throw new Error('no writes')
    // As if everything before it had happened after the last one.
    const laterMs = last.atMs + 1 - first.atMs
    const events = recording.events.map((e) => {
      const isFirst = 'xid' in e && e.xid === first.xid && e.session === first.session
      return isFirst ? { ...e, atMs: e.atMs + laterMs } : e
    })
    expect(against('linearizable', { events })).toContain('Linearizability')
    // Unless the clocks may be so far apart.
    const found = against('linearizable', { events, clockUncertaintyMs: 10_000_000 })
    expect(found).not.toContain('Linearizability')
  })
})

describe('noLostWrites', () => {
  test('is broken by a log that ends before an acknowledged write', () => {
    const log = recording.log?.slice(0, -20) ?? null
    expect(against('noLostWrites', { log })).toContain('AckedIsCommitted')
  })

  test('is broken by a hole in the log', () => {
    const log = recording.log?.toSpliced(20, 1) ?? null
    expect(against('noLostWrites', { log })).toContain('LogIsWhole')
  })

  test('is broken by a log that begins late', () => {
    expect(against('noLostWrites', { log: recording.log?.slice(3) ?? null })).toContain(
      'LogIsWhole',
    )
  })

  test('is broken by members that differ', () => {
    const [first, ...others] = recording.members
    if (first === undefined) throw new Error('no members')
    const members = [{ ...first, digest: 17n }, ...others]
    expect(against('noLostWrites', { members })).toContain('DigestEquality')
    const behind = [{ ...first, zxid: first.zxid - 1n }, ...others]
    expect(against('noLostWrites', { members: behind })).toContain('MembersMeet')
  })
})

describe('watchesInOrder', () => {
  test('is broken by an event that never came', () => {
    const at = recording.events.findIndex((e) => e.kind === 'event' && e.zxid > 0n)
    expect(against('watchesInOrder', { events: recording.events.toSpliced(at, 1) })).toContain(
      'WatchOrder',
    )
  })

  test('is broken by an event that came twice', () => {
    const at = recording.events.findIndex((e) => e.kind === 'event' && e.zxid > 0n)
    const twice = recording.events[at]
    if (twice === undefined) throw new Error('no event')
    expect(
      against('watchesInOrder', { events: recording.events.toSpliced(at, 0, twice) }),
    ).toContain('WatchOneShot')
  })
})

describe('and', () => {
  test('oneLeader is broken by a second one', () => {
    const leads = recording.roles.find(({ role, epoch }) => role === 'leading' && epoch)
    if (leads === undefined) throw new Error('no leader')
    const roles = [...recording.roles, { ...leads, sid: leads.sid + 1 }]
    expect(against('oneLeader', { roles })).toEqual(['Leadership2'])
  })

  test('callsInOrder is broken by a call without an answer', () => {
    const at = recording.events.findIndex(({ kind }) => kind === 'answer')
    const found = against('callsInOrder', { events: recording.events.toSpliced(at, 1) })
    expect(found).toContain('EveryCallSettles')
  })

  test('sessionsEnd is broken by a write of a session that is over', () => {
    const [first] = recording.log ?? []
    if (first === undefined) throw new Error('no log')
    // The first entry opens a session: without it nobody is open.
    const log = recording.log?.slice(1) ?? null
    expect(against('sessionsEnd', { log })).toContain('SessionIsOpen')
  })

  // Soak of seed 60001, part 24: it was sent when the session had just been ended.
  test('sessionsEnd holds when a multi of a session that is over is refused', () => {
    const ended = recording.log?.at(-1)
    if (ended === undefined) throw new Error('no log')
    const { header } = decodeTxn(ended)
    const late = { clientId: 0x77n, cxid: 1, zxid: header.zxid + 1n, time: header.time }
    const errors = [ErrorCode.SESSIONEXPIRED, ErrorCode.RUNTIMEINCONSISTENCY]
    const write = (txns: readonly SimpleTxn[]): readonly string[] => {
      const entry = encodeTxn({ ...late, type: OpCode.multi }, { kind: 'multi', txns })
      return against('sessionsEnd', { log: [...(recording.log ?? []), entry] })
    }
    expect(write(errors.map((err) => ({ kind: 'error', err })))).toEqual([])
    expect(write([{ kind: 'delete', path: '/gone' }])).toContain('SessionIsOpen')
  })

  test('every rule of a promise is one that a judge knows', () => {
    const rules = Object.values(PROMISES).flat()
    expect(new Set(rules).size).toBe(rules.length)
  })
})

describe('a part of a longer history', () => {
  let whole: Recording

  beforeAll(() => {
    // Several of its sessions begin late.
    whole = recordSeed(9)
  })

  /** As if nobody had recorded what came before. */
  function laterPart(): Recording {
    const log = whole.log ?? []
    const middle = Math.floor(log.length / 4)
    const opened = new Set<bigint>()
    for (const entry of log.slice(middle)) {
      const { header, txn } = decodeTxn(entry)
      if (txn.kind === 'createSession') opened.add(header.clientId)
    }
    const events = whole.events.filter((e) => !('session' in e) || opened.has(e.session))
    const before = judgeHistory({ ...whole, events: [], log: log.slice(0, middle) }).after
    if (before === null) throw new Error('no tree')
    return { ...whole, events, log: log.slice(middle), before }
  }

  test('is judged by the tree that was there before it', () => {
    const verdict = judgeHistory(laterPart())
    expect(verdict.violations).toEqual([])
    expect(verdict.operations).toBeGreaterThan(20)
    expect(byPath(verdict)).toEqual(byPath(judgeHistory(whole)))
  })

  /** Who began later met the nodes in another order. */
  function byPath({ after }: Verdict): RecordedNode[] | undefined {
    return after?.nodes.toSorted((a, b) => a.path.localeCompare(b.path))
  }

  test('and of nothing else', () => {
    const part = laterPart()
    const { before } = part
    if (before === undefined) throw new Error('no tree')
    const nodes = before.nodes.map((node) => ({ ...node, version: node.version + 1 }))
    expect(judgeHistory({ ...part, before: { ...before, nodes } }).violations).not.toEqual([])
    const { before: _, ...headless } = part
    expect(judgeHistory(headless).against('noLostWrites')).not.toEqual([])
  })
})
