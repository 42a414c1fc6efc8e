// From the facts of a tab to the sentences that a person reads first.
import { describe, expect, test } from 'vitest'
import {
  shortAddress,
  type LinkExplanation,
  type MachineExplanation,
  type Reason,
  type StorageExplanation,
} from '../../src/browser/explanation.ts'
import { whyOf, type WhyFacts } from '../../src/browser/why.ts'
import type { WorkerStatus } from '../../worker/protocol.ts'

const STORAGE: StorageExplanation = {
  durability: 'strict',
  persisted: true,
  isAsking: false,
  quotaBytes: 1e9,
  usageBytes: 1e6,
  privateWindow: false,
  disk: {
    batches: 3,
    newestBatchAtMs: 1,
    newestBatchTookMs: 2,
    slowestBatchTookMs: 9,
    writingForMs: null,
  },
}

function machine(sid: number, awaySince: string | null = null): MachineExplanation {
  const isUp = awaySince === null
  return {
    ...{ sid, isUp, awaySince },
    isThisTab: sid === 1,
    isLeader: sid === 1,
    silentMs: isUp ? 10 : 9_000,
    roundTripMs: 1,
  }
}

function link(sid: number, changes: Partial<LinkExplanation> = {}): LinkExplanation {
  return {
    peerId: String(sid).repeat(32),
    name: `machine ${sid}`,
    sid,
    state: 'connected',
    iceState: 'connected',
    stage: 'open',
    carrier: 'channel',
    localCandidate: 'host',
    remoteCandidate: 'host',
    protocol: 'udp',
    relayProtocol: null,
    localAddress: null,
    remoteAddress: null,
    roundTripMs: 1,
    silentMs: 10,
    upForMs: 1_000,
    attempts: 1,
    lastEnd: null,
    candidates: null,
    errors: [],
    ...changes,
  }
}

interface MemberChanges {
  readonly serving?: boolean
  readonly reachable?: boolean
  readonly role?: string
  readonly whyNotServing?: string | null
  readonly halted?: string | null
  readonly digestMismatches?: number
}

function status(member: MemberChanges | null, changes: Partial<WorkerStatus> = {}): WorkerStatus {
  const { reachable = true, ...rest } = member ?? {}
  const whole = {
    ...{ sid: 1, leader: 1, role: 'leading', serving: true, halted: null, digestMismatches: 0 },
    ...{ whyNotServing: null, quorum: { needed: 2, voters: 3, reachable } },
    ...rest,
  }
  return {
    ...{ phase: 'member', text: 'a text', size: 3, here: 3, sid: 1, voters: [1, 2, 3] },
    ...{ incarnation: null, creator: null, cluster: null, disk: null, peers: [], reachable: [] },
    member: member === null ? null : (whole as unknown as WorkerStatus['member']),
    ...changes,
  }
}

function why(changes: Partial<WhyFacts>): Reason[] {
  return whyOf({
    status: status({}),
    client: null,
    machines: [machine(1), machine(2), machine(3)],
    links: [link(2), link(3)],
    storage: STORAGE,
    signaling: { state: 'joined', reason: null, retryInMs: null, pages: 3 },
    timeOf: (iso) => iso.slice(11, 19),
    ...changes,
  })
}

const AT = '2026-01-02T03:04:05.000Z'
const told = (reasons: readonly Reason[]): string[] =>
  reasons.map(({ severity, code }) => `${severity} ${code}`)

describe('why it works, or does not', () => {
  test.each<readonly [string, Partial<WhyFacts>, readonly string[]]>([
    ['all is well', {}, ['ok serving']],
    ['opening', { status: status(null, { phase: 'starting' }) }, ['note starting']],
    [
      'not founded',
      { status: status(null, { phase: 'waiting', here: 1 }), machines: [], links: [] },
      ['problem waiting-for-machines'],
    ],
    ['failed', { status: status(null, { phase: 'failed' }) }, ['problem not-running']],
    ['a guest', { status: status(null, { phase: 'client' }) }, ['ok client-only']],
    ['halted', { status: status({ halted: 'a broken rule' }) }, ['problem not-running']],
    ['electing', { status: status({ serving: false, role: 'looking' }) }, ['problem electing']],
    [
      'synchronising',
      { status: status({ serving: false, role: 'following' }) },
      ['problem not-serving'],
    ],
    [
      'a differing tree',
      { status: status({ digestMismatches: 1 }) },
      ['problem digest-mismatch', 'ok serving'],
    ],
    [
      'one away',
      { machines: [machine(1), machine(2), machine(3, AT)] },
      ['ok serving', 'note machine-away', 'note no-spare-machine'],
    ],
    [
      'two away',
      {
        status: status({ serving: false, reachable: false, role: 'looking' }),
        machines: [machine(1), machine(2, AT), machine(3, AT)],
      },
      ['problem no-quorum', 'problem machine-away', 'problem machine-away'],
    ],
    [
      'by TURN',
      { links: [link(2, { localCandidate: 'relay' }), link(3)] },
      ['ok serving', 'note link-relayed'],
    ],
    [
      'a page that cannot be reached',
      { links: [link(2), link(3, { state: 'waiting', attempts: 3 })] },
      ['ok serving', 'note pair-apart'],
    ],
    [
      'two guests need no link',
      {
        links: [
          link(3, {
            state: 'waiting',
            attempts: 3,
            lastEnd: { reason: 'linked to voters only', agoMs: 1, stage: 'open' },
          }),
        ],
      },
      ['ok serving'],
    ],
    [
      'no broker',
      { signaling: { state: 'waiting', reason: 'closed (1006)', retryInMs: 9, pages: 3 } },
      ['ok serving', 'note broker-away'],
    ],
    [
      'a private window',
      { storage: { ...STORAGE, privateWindow: true } },
      ['ok serving', 'note storage-private'],
    ],
    [
      'nothing promised',
      { storage: { ...STORAGE, persisted: false } },
      ['ok serving', 'note storage-evictable'],
    ],
    [
      'full',
      { storage: { ...STORAGE, usageBytes: 0.95e9 } },
      ['problem storage-full', 'ok serving'],
    ],
    [
      'a stuck disk',
      { storage: { ...STORAGE, disk: { ...STORAGE.disk!, writingForMs: 2_000 } } },
      ['problem storage-failing', 'ok serving'],
    ],
    [
      'a slow disk',
      { storage: { ...STORAGE, disk: { ...STORAGE.disk!, newestBatchTookMs: 700 } } },
      ['ok serving', 'note storage-slow'],
    ],
    [
      'a client with machines',
      { status: null, client: { text: 'linked', reachable: [1] }, machines: [] },
      ['ok client-only'],
    ],
    [
      'a client without',
      { status: null, client: { text: 'it reaches no machine', reachable: [] }, machines: [] },
      ['problem not-serving'],
    ],
  ])('%s', (_name, changes, expected) => {
    const reasons = why(changes)
    expect(told(reasons)).toEqual(expected)
    for (const { text, help } of reasons) {
      expect(text).toMatch(/^[A-Z].*\.$/)
      expect(text).not.toMatch(/undefined|null|NaN/)
      if (help !== null) expect(help).toMatch(/^[A-Z].*\.$/)
    }
  })

  test('who is missing, since when, and what to do', () => {
    const [, first, second] = why({
      status: status({ serving: false, reachable: false, role: 'looking' }),
      machines: [machine(1), machine(2, AT), machine(3, AT)],
      links: [link(2)],
    })
    expect(first?.text).toBe('Machine 2 is away since 03:04:05.')
    expect(first?.help).toContain('frozen')
    expect(second?.help).toContain('Open this room again in the browser and profile')
  })
})

test.each([
  ['192.168.7.12', '192.168.…'],
  ['2001:db8:1:2::7', '2001:db8:…'],
  ['fe80::1', 'fe80::…'],
  ['4f0c-99.local', '….local'],
  ['127.0.0.1', '127.0.0.1'],
  [null, null],
  ['what?', '…'],
])('%s is shown as %s', (address, shown) => {
  expect(shortAddress(address)).toBe(shown)
})
