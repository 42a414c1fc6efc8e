/** Places for observers through the log: one voter grants them, the status shows them. */
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { GRANT_GRACE_MS } from '../../../src/core/server/observer-admission.ts'
import { SESSION_BASE_SPAN } from '../../../src/core/server/observer-table.ts'
import { createSingleMember, type SingleMember } from './single-member.ts'

function admit(member: SingleMember, incarnation: string): void {
  member.input({ kind: 'admit-observer', incarnation })
}

function places(member: SingleMember): string[] {
  return member.status().observers.map(({ sid, incarnation }) => `${sid} ${incarnation}`)
}

test('nobody knows of observers before the first one comes', () => {
  const member = createSingleMember()
  expect(member.status().observers).toEqual([])
  expect(member.session().exists('/zookeeper/observers')).toBe(ErrorCode.NONODE)
})

describe('a grant', () => {
  test('is a transaction: told, applied, readable by everybody', () => {
    const member = createSingleMember()
    admit(member, 'beef')
    admit(member, 'aa')
    expect(member.status().observers).toEqual([
      { sid: toServerId(2), incarnation: 'beef', sessionBase: SESSION_BASE_SPAN },
      { sid: toServerId(3), incarnation: 'aa', sessionBase: SESSION_BASE_SPAN },
    ])
    const told = member.traces.filter(({ type }) => type === 'observers')
    expect(told.map((event) => (event.type === 'observers' ? event.observers.length : 0))).toEqual([
      1, 2,
    ])
    expect(member.session().getData('/zookeeper/observers')).toMatchObject({
      data: 'sid=2 incarnation=beef base=68719476736\nsid=3 incarnation=aa base=68719476736\n',
    })
    structuredClone(member.status())
  })

  test('comes once, however often it is asked for before the observer comes', () => {
    const member = createSingleMember()
    for (let i = 0; i < 5; i++) admit(member, 'beef')
    const { zxid } = member.status()
    member.advance(GRANT_GRACE_MS - 1_000)
    admit(member, 'beef')
    expect(member.status().zxid).toBe(zxid)
  })

  test('that was not used in time is followed by a fresh one: its asker may be gone', () => {
    const member = createSingleMember()
    admit(member, 'beef')
    const [first] = member.status().observers
    member.advance(GRANT_GRACE_MS)
    admit(member, 'beef')
    const [second] = member.status().observers
    expect(second!.sid).toBe(first!.sid)
    expect(second!.sessionBase).toBeGreaterThan(first!.sessionBase)
  })

  test('is still there after a restart, and told then', () => {
    const member = createSingleMember()
    admit(member, 'beef')
    member.traces.length = 0
    member.restart()
    expect(places(member)).toEqual(['2 beef'])
    expect(member.traces.filter(({ type }) => type === 'observers').length).toBe(1)
  })

  test('of another leader is for another life: the session ids go on', () => {
    const member = createSingleMember()
    admit(member, 'beef')
    member.restart()
    admit(member, 'beef')
    expect(member.status().observers).toEqual([
      { sid: toServerId(2), incarnation: 'beef', sessionBase: 2n * SESSION_BASE_SPAN },
    ])
  })

  test('takes the place of one that is away, when all are taken, but not at once', () => {
    const member = createSingleMember()
    for (let i = 0; i < 16; i++) admit(member, `a${i.toString(16)}`)
    admit(member, 'beef')
    expect(places(member).some((place) => place.endsWith('beef'))).toBe(false)
    const refused = member.traces.find(({ type }) => type === 'observer-refused')
    expect(refused).toMatchObject({
      incarnation: 'beef',
      reason: 'there are 16 observers already',
    })
    member.advance(10_001)
    admit(member, 'beef')
    expect(places(member).at(-1)).toBe('2 beef')
    expect(places(member)).not.toContain('2 a0')
  })

  test('is refused to what is no name, and the reason told', () => {
    const member = createSingleMember()
    admit(member, 'sid=9')
    expect(member.traces.at(-1)).toMatchObject({ type: 'observer-refused', incarnation: 'sid=9' })
    expect(member.status().observers).toEqual([])
  })
})

describe('clients', () => {
  test('cannot make, change or delete the table', () => {
    const member = createSingleMember()
    const client = member.session()
    expect(client.create('/zookeeper/observers')).toBe(ErrorCode.NOAUTH)
    admit(member, 'beef')
    expect(client.setData('/zookeeper/observers', '')).toBe(ErrorCode.NOAUTH)
    expect(client.delete('/zookeeper/observers')).toBe(ErrorCode.BADARGUMENTS)
    expect(client.create('/zookeeper/observers/x')).toBe(ErrorCode.NOAUTH)
    expect(places(member)).toEqual(['2 beef'])
  })
})
