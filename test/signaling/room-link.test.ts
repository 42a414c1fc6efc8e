import { describe, expect, it } from 'vitest'
import {
  createSecret,
  formatRoomLink,
  isWeakSecret,
  parseRoomLink,
  RoomLinkError,
} from '../../src/signaling/room-link.ts'

const HOST = 'http://localhost:4173'

describe('parsing', () => {
  it.each([
    [
      '/machine.html?room=zoo#s3cret',
      { room: 'zoo', size: 3, secret: 's3cret', creator: null, cluster: null },
    ],
    [
      '/machine.html?room=zoo&size=5#s.c0ffee',
      { room: 'zoo', size: 5, secret: 's', creator: 'c0ffee', cluster: null },
    ],
    [
      '/?room=zoo&size=1&shell=3.4#s.c.0123',
      { room: 'zoo', size: 1, secret: 's', creator: 'c', cluster: '0123' },
    ],
    [
      '/?room=%E5%8A%A8%E7%89%A9%E5%9B%AD#%E7%A7%98%E5%AF%86',
      { room: '动物园', size: 3, secret: '秘密', creator: null, cluster: null },
    ],
    [
      '/?room=a.b-c_1#x+y/z=',
      { room: 'a.b-c_1', size: 3, secret: 'x+y/z=', creator: null, cluster: null },
    ],
  ])('%s', (path, link) => {
    expect(parseRoomLink(HOST + path)).toEqual(link)
  })

  it('makes one room of one name typed on two systems', () => {
    const names = ['e\u0301t\u00e9', '\u00e9te\u0301'].map(
      (name) => parseRoomLink(`${HOST}/?room=${encodeURIComponent(name)}#s`).room,
    )
    expect(names[0]).toBe(names[1])
  })

  it.each([
    ['/#s', 'no-room'],
    ['/?room=#s', 'no-room'],
    ['/?room=zoo', 'no-secret'],
    ['/?room=zoo#', 'no-secret'],
    ['/?room=zoo#.creator', 'no-secret'],
    ['/?room=-x#s', 'bad-room'],
    ['/?room=a%2Fb#s', 'bad-room'],
    ['/?room=a%20b#s', 'bad-room'],
    [`/?room=${'x'.repeat(65)}#s`, 'bad-room'],
    ['/?room=zoo&size=0#s', 'bad-size'],
    ['/?room=zoo&size=10#s', 'bad-size'],
    ['/?room=zoo&size=3.5#s', 'bad-size'],
    ['/?room=zoo&size=#s', 'bad-size'],
    ['/?room=zoo#a%20b', 'bad-secret'],
    ['/?room=zoo#%E0%A4', 'bad-secret'],
    [`/?room=zoo#${'x'.repeat(129)}`, 'bad-secret'],
    ['/?room=zoo#s.a.b.c', 'bad-secret'],
    ['/?room=zoo#s.', 'bad-creator'],
    ['/?room=zoo#s.c!', 'bad-creator'],
    ['/?room=zoo#s.c.', 'bad-cluster'],
  ])('refuses %s as %s', (path, code) => {
    expect(() => parseRoomLink(HOST + path)).toThrow(RoomLinkError)
    expect(() => parseRoomLink(HOST + path)).toThrow(expect.objectContaining({ code }) as Error)
  })
})

describe('formatting', () => {
  it('comes back as it was', () => {
    const link = { room: '动物', size: 5, secret: createSecret(), creator: 'c0', cluster: 'k1' }
    const href = formatRoomLink(`${HOST}/machine.html?old=1#x`, link)
    expect(parseRoomLink(href)).toEqual(link)
    expect(href.startsWith(`${HOST}/machine.html?room=`)).toBe(true)
    expect(new URL(href).searchParams.has('old')).toBe(false)
  })

  it.each(['50%', '%41', '秘密', 'a"b', 'x/y?z&w'])('keeps a secret typed as %s', (secret) => {
    const link = { room: 'zoo', size: 3, secret, creator: null, cluster: null }
    expect(parseRoomLink(formatRoomLink(HOST, link))).toEqual(link)
  })

  it('keeps the secret out of what a server sees', () => {
    const secret = createSecret()
    const href = formatRoomLink(HOST, {
      ...{ room: 'zoo', size: 3, secret, creator: null, cluster: null },
    })
    const { pathname, search } = new URL(href)
    expect(`${pathname}${search}`).not.toContain(secret)
  })

  it('names no cluster without its creator', () => {
    const link = { room: 'zoo', size: 3, secret: 's', creator: null, cluster: 'k' }
    expect(new URL(formatRoomLink(HOST, link)).hash).toBe('#s')
  })
})

it('tells a secret that may be guessed', () => {
  expect([isWeakSecret('lions'), isWeakSecret(createSecret())]).toEqual([true, false])
})
