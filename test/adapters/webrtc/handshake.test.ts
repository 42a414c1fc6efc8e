import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fingerprintOf } from '../../../src/adapters/webrtc/fingerprint.ts'
import {
  Handshake,
  type HandshakeOptions,
  type Refusal,
  type VerifiedPeer,
} from '../../../src/adapters/webrtc/handshake.ts'
import {
  decodeHello,
  encodeHello,
  type Hello,
  type HelloFields,
} from '../../../src/adapters/webrtc/hello.ts'
import { PAGE_MESSAGE_MAX_BYTES } from '../../../src/adapters/webrtc/limits.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/sha256.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { eventually } from '../../eventually.ts'

const ROOM = 'a'.repeat(64)
const PEERS = ['f'.repeat(32), '1'.repeat(32)] as const
const PRINTS = ['AA:01', 'BB:02'] as const

interface Identity {
  readonly hello: HelloFields
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
}

async function makeIdentity(): Promise<Identity> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return {
    hello: {
      publicKey,
      incarnation: toHex(sha256(publicKey)).slice(0, 32),
      clusterId: 'zoo-1',
      foundingRecord: Uint8Array.of(1, 2, 3),
      startChain: ['t1', 't2'],
    },
    sign: async (bytes) =>
      new Uint8Array(
        await crypto.subtle.sign(
          { name: 'ECDSA', hash: 'SHA-256' },
          pair.privateKey,
          new Uint8Array(bytes),
        ),
      ),
  }
}

let identities: [Identity, Identity, Identity]
beforeAll(async () => {
  identities = [await makeIdentity(), await makeIdentity(), await makeIdentity()]
})

class Side {
  readonly admitted: VerifiedPeer[] = []
  readonly refusals: Refusal[] = []
  readonly pages: string[] = []
  handshake: Handshake | null = null
  /** Messages to the other side pass through it. */
  tap: (message: Uint8Array) => Uint8Array[] = (message) => [message]
  other: Side | null = null

  start(index: 0 | 1, identity: Identity, changes: Partial<HandshakeOptions> = {}): void {
    const sent: Uint8Array[] = []
    this.handshake = new Handshake({
      isInitiator: index === 0,
      self: PEERS[index],
      other: PEERS[index === 0 ? 1 : 0],
      room: ROOM,
      build: `build ${index}`,
      localFingerprint: PRINTS[index],
      remoteFingerprint: PRINTS[index === 0 ? 1 : 0],
      hello: identity.hello,
      sign: identity.sign,
      admit: async () => null,
      // The first hello leaves inside the constructor: after the turn both sides are there.
      send: (message) => {
        sent.push(message)
        queueMicrotask(() => {
          for (const one of sent.splice(0)) {
            for (const part of this.tap(one)) this.other?.handshake?.receive(part)
          }
        })
      },
      onAdmitted: (peer) => this.admitted.push(peer),
      onPage: (message) => this.pages.push(decodeUtf8(message)),
      onRenewal: (kind, generation) => this.pages.push(`${kind} ${generation}`),
      onRefused: (refusal) => this.refusals.push(refusal),
      ...changes,
    })
  }
}

function sides(): [Side, Side] {
  const [a, b] = [new Side(), new Side()]
  a.other = b
  b.other = a
  return [a, b]
}

function begin(
  changesA: Partial<HandshakeOptions> = {},
  changesB: Partial<HandshakeOptions> = {},
): [Side, Side] {
  const [a, b] = sides()
  a.start(0, identities[0], changesA)
  b.start(1, identities[1], changesB)
  return [a, b]
}

async function refusedWith(side: Side, code: string): Promise<void> {
  await eventually(() => expect(side.refusals.map((one) => one.code)).toEqual([code]))
  expect(side.admitted).toEqual([])
}

describe('two honest members', () => {
  it('know each other by key, with all that was said', async () => {
    const [a, b] = begin()
    await eventually(() => expect([a.admitted.length, b.admitted.length]).toEqual([1, 1]))
    expect(b.admitted[0]).toEqual({
      ...identities[0].hello,
      peerId: PEERS[0],
      isInitiator: false,
      protocol: 1,
      build: 'build 0',
    })
    expect(a.admitted[0]?.incarnation).toBe(identities[1].hello.incarnation)
    expect(a.handshake?.sendPage(encodeUtf8('record'))).toBe(true)
    await eventually(() => expect(b.pages).toEqual(['record']))
    expect([a.refusals, b.refusals]).toEqual([[], []])
  })

  it('keep a page message that comes while the worker is still asked', async () => {
    let letIn: (refusal: null) => void = () => {}
    const [a, b] = begin({}, { admit: () => new Promise((resolve) => (letIn = resolve)) })
    await eventually(() => expect(a.admitted).toHaveLength(1))
    a.handshake?.sendPage(encodeUtf8('early'))
    expect(b.handshake?.sendPage(encodeUtf8('not yet'))).toBe(false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(b.pages).toEqual([])
    letIn(null)
    await eventually(() => expect(b.pages).toEqual(['early']))
  })

  it('ask for new channels, not before both are through', async () => {
    const [a, b] = begin()
    a.handshake?.sendRenewal('renew', 1)
    await eventually(() => expect([a.admitted.length, b.admitted.length]).toEqual([1, 1]))
    a.handshake?.sendRenewal('renew', 2)
    b.handshake?.sendRenewal('renewed', 2)
    await eventually(() => expect([b.pages, a.pages]).toEqual([['renew 2'], ['renewed 2']]))
  })

  it('send no page message that is too long', async () => {
    const [a] = begin()
    await eventually(() => expect(a.admitted).toHaveLength(1))
    expect(a.handshake?.sendPage(new Uint8Array(PAGE_MESSAGE_MAX_BYTES + 1))).toBe(false)
  })

  it('hear why the worker of the other does not want them', async () => {
    const [a, b] = begin({}, { admit: async () => 'this room is full of zebras' })
    await refusedWith(b, 'not-admitted')
    await eventually(() => expect(a.refusals).toHaveLength(1))
    expect(a.refusals[0]).toEqual({
      code: 'refused-by-peer',
      message: 'this room is full of zebras',
    })
  })
})

describe('somebody in the middle', () => {
  it('with fingerprints of its own cannot pass on a proof', async () => {
    const [a, b] = begin({ remoteFingerprint: 'MM:01' }, { remoteFingerprint: 'MM:02' })
    await refusedWith(b, 'signature')
    await eventually(() => expect(a.refusals).toHaveLength(1))
    expect(a.admitted).toEqual([])
  })

  it('cannot change a word of a hello', async () => {
    const [a, b] = sides()
    a.tap = (message) => {
      if (message[0] !== 1) return [message]
      const hello = decodeHello(message.subarray(1))
      if (hello === null) throw new Error('unreadable')
      return [Uint8Array.of(1, ...encodeHello({ ...hello, startChain: ['rolled', 'back'] }))]
    }
    a.start(0, identities[0])
    b.start(1, identities[1])
    await refusedWith(b, 'signature')
  })

  it('cannot send a proof back to its signer', async () => {
    const [a] = sides()
    // Every message of a comes back to a: its own hello first.
    a.other = a
    a.start(0, identities[0])
    await refusedWith(a, 'same-identity')
  })

  it('cannot use the proof of another connection', async () => {
    const proofs: Uint8Array[] = []
    const [a, b] = sides()
    a.tap = (message) => {
      if (message[0] === 2) proofs.push(message.slice())
      return [message]
    }
    a.start(0, identities[0])
    b.start(1, identities[1])
    await eventually(() => expect(b.admitted).toHaveLength(1))
    const [again, victim] = sides()
    again.tap = (message) => [message[0] === 2 ? proofs[0]! : message]
    again.start(0, identities[0])
    victim.start(1, identities[1])
    await refusedWith(victim, 'signature')
  })
})

describe('what is refused', () => {
  it.each([
    ['a key that it does not hold', () => ({ sign: identities[2].sign }), 'signature'],
    [
      'an incarnation of another key',
      () => ({
        hello: { ...identities[0].hello, incarnation: identities[2].hello.incarnation },
      }),
      'key',
    ],
    ['a key that is no point', () => ({ hello: noPoint() }), 'key'],
    ['our own identity', () => ({ hello: identities[1].hello }), 'same-identity'],
    ['another room', () => ({ room: 'b'.repeat(64) }), 'room'],
  ] as const)('%s', async (_name, changes, code) => {
    const [, b] = begin(changes())
    await refusedWith(b, code)
  })

  function noPoint(): HelloFields {
    const publicKey = new Uint8Array(65).fill(7)
    const incarnation = toHex(sha256(publicKey)).slice(0, 32)
    return { ...identities[0].hello, publicKey, incarnation }
  }

  it.each([
    ['a later version only', 2, 3],
    ['an older version only', 0, 0],
  ])('%s, in words', async (_name, protocolMin, protocolMax) => {
    const [a, b] = sides()
    a.tap = (message) => {
      const hello = message[0] === 1 ? decodeHello(message.subarray(1)) : null
      return hello === null
        ? [message]
        : [Uint8Array.of(1, ...encodeHello({ ...hello, protocolMin, protocolMax }))]
    }
    a.start(0, identities[0])
    b.start(1, identities[1])
    await refusedWith(b, 'version')
    expect(b.refusals[0]?.message).toContain('reload the older page')
  })

  it.each([
    ['nothing', []],
    ['an unknown message', [99]],
    ['a proof first', [2, 1, 2, 3]],
    ['a page message first', [3, 1]],
    ['a hello that ends early', [1, 0, 0, 0, 1]],
  ])('%s', async (_name, message) => {
    const [, b] = sides()
    b.start(1, identities[1])
    b.handshake?.receive(Uint8Array.from(message))
    await refusedWith(b, 'malformed')
  })

  it('a flood', async () => {
    const [a, b] = begin({}, { admit: () => new Promise(() => {}) })
    await eventually(() => expect(a.admitted).toHaveLength(1))
    for (let i = 0; i < 100; i++) a.handshake?.sendPage(Uint8Array.of(1))
    await refusedWith(b, 'flood')
  })

  it('nothing, once it has ended', async () => {
    const [, b] = begin()
    b.handshake?.end()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([b.admitted, b.refusals]).toEqual([[], []])
  })
})

describe('hello', () => {
  it('random bytes are null or a hello, never an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeHello(bytes)
      }),
    )
  })

  it('fields of a later version may follow', () => {
    const hello: Hello = {
      ...identities[0].hello,
      ...{ protocolMin: 1, protocolMax: 9, build: 'later', room: ROOM, nonce: new Uint8Array(16) },
    }
    expect(decodeHello(Uint8Array.of(...encodeHello(hello), 0, 0, 2, 3))).toEqual(hello)
    const client: Hello = { ...hello, isClient: true }
    expect(decodeHello(Uint8Array.of(...encodeHello(client), 0, 2, 3))).toEqual(client)
    const node: Hello = { ...hello, isNode: true }
    expect(decodeHello(Uint8Array.of(...encodeHello(node), 2, 3))).toEqual(node)
  })

  it('any byte cut off or changed never throws', () => {
    const bytes = encodeHello({
      ...identities[0].hello,
      ...{ protocolMin: 1, protocolMax: 1, build: 'b', room: ROOM, nonce: new Uint8Array(16) },
    })
    for (let at = 0; at < bytes.length; at++) {
      expect(decodeHello(bytes.subarray(0, at))).toBeNull()
      const altered = bytes.slice()
      altered[at] = 0xff
      decodeHello(altered)
    }
  })
})

describe('the fingerprint of a description', () => {
  const print = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join(':')
  const line = (algorithm: string, digest: string): string =>
    `v=0\r\na=fingerprint:${algorithm} ${digest}\r\na=setup:actpass\r\n`

  it.each([
    ['as it is written', line('sha-256', print.toUpperCase()), print.toUpperCase()],
    ['in lower case', line('SHA-256', print), print.toUpperCase()],
    ['said twice', line('sha-256', print) + line('sha-256', print), print.toUpperCase()],
    ['absent', 'v=0\r\n', null],
    ['one of two', line('sha-256', print) + line('sha-256', print.replace('00', 'ff')), null],
    ['of a weak hash', line('sha-1', print), null],
    ['beside one of a weak hash', line('sha-256', print) + line('sha-1', 'AA:BB'), null],
    ['too short', line('sha-256', 'AA:BB'), null],
  ])('%s', (_name, sdp, expected) => {
    expect(fingerprintOf(sdp)).toBe(expected)
  })
})
