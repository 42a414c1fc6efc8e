// What may stand behind `zabra join`, and the sentences for what may not.
import { describe, expect, it, test } from 'vitest'
import { brokerAddress, linkedRoom, newRoom } from '../../../src/edge/join/asked-room.ts'
import { parseJoin } from '../../../src/edge/join/join-options.ts'
import { usableIce } from '../../../src/edge/join/node-webrtc.ts'
import { parseRoomLink } from '../../../src/signaling/room-link.ts'

const LINK = 'https://tabs.example/machine.html?room=home&size=3#some-secret.abc.def'

function madeBy(options: Parameters<typeof newRoom>[0]): URL {
  const asked = newRoom(options)
  if (asked.kind !== 'new') throw new Error('a new room')
  return asked.addressFor('abcdef').address
}

describe('zabra join', () => {
  it('takes a link, with ZooKeeper’s port and a directory of its own by default', () => {
    expect(parseJoin([LINK])).toMatchObject({
      asked: { kind: 'link', address: new URL(LINK), signaling: null },
      server: { dataDirectory: 'zabra-data', clientPort: 2181, adminPort: 8080 },
      ice: null,
    })
    expect(
      parseJoin([
        ...[LINK, '--data-dir', 'd', '--client-port', '0', '--client-address', '::1'],
        ...['--admin-port', '0', '--max-client-cnxns', '0'],
        ...['--ice', 'stun:a.example', '--signaling', 'wss://b.example'],
      ]),
    ).toMatchObject({
      asked: { signaling: 'wss://b.example' },
      server: {
        ...{ dataDirectory: 'd', clientPort: 0, adminPort: 0, connectionsPerAddressMax: 0 },
        ...{ clientAddress: '::1', adminAddress: '::1' },
      },
      ice: 'stun:a.example',
    })
    expect(parseJoin(['--data-dir', 'd'])).toMatchObject({ asked: { kind: 'same' } })
    expect(parseJoin([LINK, '--help'])).toBe(null)
  })

  it.each([
    [['home'], "'home' is no link of a room"],
    [['file:///a?room=home#secret'], 'begins with http: or https:'],
    [['https://tabs.example/machine.html'], 'The link names no room'],
    // What a shell leaves of a link without quotes.
    [['https://tabs.example/machine.html?room=home'], 'In a shell a link stands in quotes'],
    [['https://tabs.example/?room=home&size=12#secret'], 'A room has 1 to 9 machines.'],
    [['https://tabs.example/?room=home#secret.#'], 'damaged'],
    [[LINK, LINK], 'one LINK, not 2'],
    [[LINK, '--new', '--signaling', 'ws://a'], 'it takes no LINK'],
    [['--new'], '--new needs --signaling URL'],
    [['--new', '--signaling', 'file:///tmp'], 'no address of a signaling server'],
    [['--new', '--signaling', 'ws://a', '--size', '10'], '--size 10: it is a whole number'],
    [['--new', '--signaling', 'ws://a', '--name', '-'], 'A room name has 1 to 64 letters'],
    [['--new', '--signaling', 'ws://a', '--page', 'b'], "'b' is no address of a page"],
    [['--signaling', 'ws://a'], '--signaling needs a LINK'],
    [[LINK, '--size', '3'], '--size is for a --new room'],
    [[LINK, '--client-port', '65536'], '--client-port 65536: it is a whole number from 0 to 65535'],
    [[LINK, '--nonsense'], 'nonsense'],
  ])('refuses %j', (args, sentence) => {
    expect(() => parseJoin(args)).toThrow(sentence)
  })
})

describe('where a room meets', () => {
  it('is the server of its pages, unless the link or the caller names another', () => {
    expect(brokerAddress(linkedRoom(LINK, null))).toBe('wss://tabs.example/signal')
    expect(brokerAddress(linkedRoom(LINK, 'ws://b.example:1/s'))).toBe('ws://b.example:1/s')
    const elsewhere = LINK.replace(
      '&size',
      `&signal=${encodeURIComponent('wss://c.example/x')}&size`,
    )
    expect(brokerAddress(linkedRoom(elsewhere, null))).toBe('wss://c.example/x')
    expect(() => brokerAddress(linkedRoom(LINK, 'file:///x'))).toThrow('signaling server')
  })
})

describe('a new room', () => {
  it('has its pages on the server of the signaling', () => {
    const link = madeBy({ signaling: 'ws://localhost:4173', size: 5, name: 'mine' })
    expect(link.href.startsWith('http://localhost:4173/machine.html?room=mine&size=5#')).toBe(true)
    expect(parseRoomLink(link)).toMatchObject({ size: 5, creator: 'abcdef', cluster: null })
    expect(madeBy({ signaling: 'localhost:4173' }).origin).toBe('http://localhost:4173')
    expect(madeBy({ signaling: 'https://tabs.example' }).origin).toBe('https://tabs.example')
  })

  it('says in its link where the signaling is when its pages are elsewhere', () => {
    const page = 'https://pages.example/app/machine.html'
    const link = madeBy({ signaling: 'wss://broker.example/signal', page })
    expect(link.pathname).toBe('/app/machine.html')
    expect(brokerAddress({ address: link, signaling: null })).toBe('wss://broker.example/signal')
  })

  it('has a secret of its own each time', () => {
    const secrets = [1, 2].map(() => parseRoomLink(madeBy({ signaling: 'ws://a' })).secret)
    expect(secrets[0]).not.toBe(secrets[1])
  })
})

test('servers that WebRTC on Node cannot use are named and left out', () => {
  const turn = { urls: ['turn:t.example', 'turn:t.example?transport=tcp', 'turns:t.example'] }
  const stuns = { urls: ['stuns:s.example'] }
  const ice = { iceServers: [turn, stuns], iceTransportPolicy: 'all' as const }
  expect(usableIce(ice)).toEqual({
    settings: { ...ice, iceServers: [{ urls: ['turn:t.example'] }] },
    unusable: ['turn:t.example?transport=tcp', 'turns:t.example', 'stuns:s.example'],
  })
})
