import { describe, expect, test } from 'vitest'
import { diagnose } from '../../../../src/adapters/webrtc/doctor/diagnosis.ts'
import {
  finding,
  FINDING_CODES,
  WORDS,
  type Finding,
} from '../../../../src/adapters/webrtc/doctor/finding.ts'
import type { PageReport } from '../../../../src/adapters/webrtc/doctor/page-report.ts'
import { A, apart, B, C, counts, ice, link, page } from './reports.ts'

function look(reports: readonly PageReport[], asked: readonly string[] = [A, B]): Finding[] {
  return diagnose({
    self: A,
    asked: asked.map((peerId) => ({ peerId, name: `page ${peerId[0] ?? ''}` })),
    reports,
    isBrokerJoined: true,
  })
}

const NOT_ASKED = 'it has not said that it votes'

const told = (found: readonly Finding[]): string[] =>
  found.map(({ code, pages }) => [code, ...pages.map((name) => name.slice(-1))].join(' '))

/** Both sides saw the same. */
function bothApart(...facts: Parameters<typeof ice>): PageReport[] {
  return [page(A, [apart(B, ice(...facts))]), page(B, [apart(A, ice(...facts))])]
}

const SILENT_TURN = { turnServers: 1 } as const
const gathered = (changes: Partial<PageReport['gather']>): Pick<PageReport, 'gather'> => ({
  gather: { isSupported: true, isComplete: true, counts: counts(), errors: [], ...changes },
})
const REFUSAL = { url: 'turn:t.example:3478?transport=udp', code: 401, text: 'Unauthorized.' }

describe('a pair that cannot connect', () => {
  test.each<readonly [string, readonly PageReport[], readonly string[]]>([
    ['both connected', [page(A, [link(B)]), page(B, [link(A)])], ['all-connected']],
    [
      'one sees it a moment earlier',
      [page(A, [link(B)]), page(B, [apart(A, null)])],
      ['all-connected'],
    ],
    ['local addresses only', bothApart({ host: 1 }), ['local-only a b']],
    [
      'hidden names that do not resolve',
      bothApart(
        { mdns: 1 },
        { mdns: 1 },
        { tried: { pairs: 0, requestsSent: 0, responsesReceived: 0 } },
      ),
      ['mdns-unresolved a b'],
    ],
    ['hidden names, tried in vain', bothApart({ mdns: 1 }), ['local-only a b']],
    ['public addresses, tried in vain', bothApart({ host: 1, srflx: 1 }), ['needs-turn a b']],
    [
      'one side has a public address',
      [
        page(A, [apart(B, ice({ host: 1, srflx: 1 }, { host: 1 }))]),
        page(B, [apart(A, ice({ host: 1 }, { host: 1, srflx: 1 }))]),
      ],
      ['needs-turn a b'],
    ],
    ['relays that pass on nothing', bothApart({ host: 1, relay: 1 }), ['relay-failed a b']],
    [
      'no answer to the offer',
      [page(A, [apart(B, ice({ host: 1 }, {}))]), page(B, [])],
      ['no-answer a b'],
    ],
    ['not tried yet', [page(A, [apart(B, null)]), page(B, [apart(A, null)])], ['still-trying a b']],
    ['nobody tells', [page(A, []), page(B, [])], ['pair-unknown a b']],
    [
      'two guests that nobody asked',
      [page(A, [apart(B, null, NOT_ASKED)]), page(B, [apart(A, null, NOT_ASKED)])],
      ['not-needed a b', 'all-connected'],
    ],
    [
      'a guest that was not asked, and a voter that is not heard',
      [page(A, [apart(B, ice({ host: 1 }, {}))]), page(B, [apart(A, null, NOT_ASKED)])],
      ['no-answer a b'],
    ],
    [
      'the handshake hangs',
      [page(A, [link(B, { state: 'connecting', stage: 'handshake' })]), page(B, [])],
      ['handshake-silent a b'],
    ],
    [
      'connected and mute',
      [page(A, [link(B, { silentMs: 9_000 })]), page(B, [link(A)])],
      ['link-silent a b'],
    ],
  ])('%s', (_name, reports, codes) => {
    expect(told(look(reports))).toEqual(codes)
  })

  test.each([
    ['signature: the signature over this connection is not genuine', 'handshake-failed'],
    ['refused-by-peer: the signature over this connection is not genuine', 'handshake-failed'],
    ['room: another room', 'handshake-failed'],
    ['malformed: a message out of order in the handshake', 'handshake-failed'],
    [
      'version: one page speaks link protocol 1-1, the other 2-2: reload the older page',
      'builds-differ',
    ],
    [
      'refused-by-peer: one page speaks link protocol 2-2, the other 1-1: reload it',
      'builds-differ',
    ],
    ['same-identity: two pages with one identity', 'same-identity'],
    ['refused-by-peer: refused: the storage of this machine is rolled back', 'not-admitted'],
    ['that page has no place for another connection', 'no-place'],
    ['neither page is a voter: those are linked to voters only', 'not-needed'],
  ])('refused with "%s": %s', (reason, code) => {
    const reports = [page(A, [apart(B, ice({ host: 1 }), reason)]), page(B, [])]
    const [first] = look(reports)
    expect(first?.code).toBe(code)
    expect(first?.text).not.toMatch(/^[a-z-]+:|refused-by-peer|[{}]/)
  })
})

describe('a page with trouble of its own', () => {
  test.each<readonly [string, Partial<PageReport>, readonly string[]]>([
    ['no WebRTC', gathered({ isSupported: false }), ['webrtc-missing b', 'blocked a b']],
    ['no candidate at all', gathered({}), ['no-candidates b', 'blocked a b']],
    [
      'TURN refuses',
      { ...SILENT_TURN, policy: 'relay', ...gathered({ errors: [REFUSAL] }) },
      ['turn-refused b', 'blocked a b'],
    ],
    [
      'TURN is silent',
      { ...SILENT_TURN, policy: 'relay', ...gathered({ isComplete: false }) },
      ['turn-unreachable b', 'blocked a b'],
    ],
    [
      'TURN refuses, direct ways fail too',
      { ...SILENT_TURN, ...gathered({ counts: counts({ host: 1 }), errors: [REFUSAL] }) },
      ['turn-refused b', 'blocked a b'],
    ],
    [
      'STUN is silent',
      { stunServers: 1, ...gathered({ counts: counts({ host: 1 }), isComplete: false }) },
      ['stun-silent b', 'local-only a b'],
    ],
  ])('%s', (_name, changes, codes) => {
    const facts = ice({ host: 1 })
    const reports = [page(A, [apart(B, facts)]), page(B, [apart(A, facts)], changes)]
    expect(told(look(reports))).toEqual(codes)
  })

  test('what the TURN server said is passed on', () => {
    const changes = { ...SILENT_TURN, ...gathered({ errors: [REFUSAL] }) }
    expect(look([page(A, [link(B)]), page(B, [link(A)], changes)])[0]?.text).toBe(
      'The TURN server of page b refuses: 401 Unauthorized.',
    )
  })

  test('a page that does not answer is named, and so are its pairs', () => {
    const reports = [page(A, [link(B), apart(C, ice({ host: 1 }, {}))]), page(B, [link(A)])]
    expect(told(look(reports, [A, B, C]))).toEqual([
      'page-silent c',
      'no-answer a c',
      'pair-unknown b c',
    ])
  })

  test('alone, and without a broker', () => {
    expect(told(look([page(A, [])], [A]))).toEqual(['alone'])
    const found = diagnose({ self: A, asked: [], reports: [page(A, [])], isBrokerJoined: false })
    expect(told(found)).toEqual(['broker-away', 'alone'])
  })
})

test('every finding has a sentence, and every problem says what helps or stands for one', () => {
  for (const code of FINDING_CODES) {
    const said = finding(code, ['machine 1', 'machine 2'], 'something')
    expect(said.text, code).toMatch(/^[A-Z].*\.$/)
    expect(said.text, code).not.toMatch(/[{}]/)
    if (said.help !== null) expect(said.help, code).toMatch(/^[A-Z].*\.$/s)
    const needsHelp =
      WORDS[code].severity === 'problem' && !['blocked', 'not-admitted'].includes(code)
    if (needsHelp) expect(said.help, code).not.toBeNull()
  }
})
