// The report of a history: what it shows, and that nothing of a history gets out of its place.
import { describe, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { RECORDING_FORMAT, type Recording } from '../../src/history/recording.ts'
import { historyReport } from '../../src/history/report/history-report.ts'

const POISON = `</title></script><img src=x onerror="alert('1')"><!-- \u202e\u0000\ud800`

function recordingOf(text: string): Recording {
  const session = 0x100n
  const call = { kind: 'create', path: `/${text}`, data: encodeUtf8(text), flags: 0 } as const
  const outcome = { atMs: 30, zxid: 0x1_0000_0002n, err: 0, server: 1, path: `/${text}` }
  return {
    format: RECORDING_FORMAT,
    title: text,
    clockUncertaintyMs: 0,
    events: [
      { kind: 'connected', client: 1, atMs: 5, session, server: 1, isNew: true },
      { kind: 'call', client: 1, atMs: 10, session, xid: 1, call },
      { kind: 'answer', client: 1, atMs: 30, session, xid: 1, outcome },
      { kind: 'call', client: 1, atMs: 40, session, xid: 2, call },
      { kind: 'lost', client: 1, atMs: 80, session, xid: 2 },
      { kind: 'event', client: 1, atMs: 50, session, zxid: 3n, type: 3, path: `/${text}` },
      { kind: 'disconnected', client: 1, atMs: 80, reason: text },
    ],
    log: null,
    roles: [
      { atMs: 0, sid: 1, role: 'leading', epoch: 1 },
      { atMs: 60, sid: 1, role: 'down' },
    ],
    faults: [{ atMs: 60, untilMs: 90, what: text, sids: [1] }],
    members: [],
  }
}

function reportOf(text: string): string {
  return historyReport(recordingOf(text), {
    violations: [{ checker: text, what: text, atMs: 70 }],
    facts: { [text]: text },
    transcript: [text],
  })
}

describe('a report', () => {
  test('tells calls, leaders, faults and what was broken, in words', () => {
    const page = reportOf('queue')
    expect(page).toContain('create /queue flags 0 “queue” = OK /queue at 0x100000002 by member 1')
    expect(page).toContain('was not answered')
    expect(page).toContain('NodeDataChanged of /queue')
    expect(page).toContain('Member 1: leading, epoch 1, 0.0 to 60.0 ms (60.0 ms)')
    expect(page).toContain('queue (member 1), 60.0 to 90.0 ms (30.0 ms)')
    expect(page).toContain('<span class="bad">queue</span> at 70.0 ms: queue')
  })

  test('escapes whatever comes from a history', () => {
    const page = reportOf(POISON)
    expect(page).not.toMatch(/<img/)
    expect(page.match(/<\/?script/g)).toEqual(['<script', '</script'])
    expect(page.match(/<\/title>/g)).toHaveLength(page.match(/<title>/g)?.length ?? 0)
    for (const char of ['\u202e', '\u0000']) expect(page).not.toContain(char)
    expect(page).toContain('\\u202e')
  })

  test('lets no script run but its own', () => {
    const page = reportOf(POISON)
    const script = /<script>([^]*)<\/script>/.exec(page)?.[1] ?? ''
    const hash = createHash('sha256').update(script).digest('base64')
    expect(page).toContain(`default-src 'none'`)
    expect(page).toContain(`script-src 'sha256-${hash}'`)
  })

  test('of a history of many calls keeps what is nearest to the violation', () => {
    const { events, ...rest } = recordingOf('many')
    const [, call, answer] = events
    if (call?.kind !== 'call' || answer?.kind !== 'answer') throw new Error('no call')
    const many = Array.from({ length: 10_000 }, (_, i) => [
      { ...call, xid: i, atMs: i },
      { ...answer, xid: i, atMs: i + 0.5 },
    ])
    const recording = { ...rest, events: many.flat() }
    const page = historyReport(recording, {
      violations: [{ checker: 'Rule', what: 'broken', atMs: 9000 }],
    })
    expect(page).toContain('xid 9000:')
    expect(page).not.toContain('xid 10:')
    expect(page).toMatch(/\d+ marks farther away are left out/)
  })
})
