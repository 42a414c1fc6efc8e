import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { EventType } from '../../src/core/jute/event-type.ts'
import { OpCode, SpecialXid } from '../../src/core/jute/op-code.ts'
import { authPacketRecord } from '../../src/core/jute/session-records.ts'
import { bodyOf, host, notification, pathRequest, reply, SessionBench } from './session-bench.ts'

const typesOf = (bench: SessionBench): number[] => bench.sent.map(({ type }) => type)

describe('connecting', () => {
  test('the own tab is tried first and the session is told', () => {
    const bench = new SessionBench()
    expect(bench.connects.map(({ host: id }) => id)).toEqual(['1'])
    bench.open()
    expect(bench.connectRequests[0]).toMatchObject({
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 30_000,
      sessionId: 0n,
      readOnly: false,
    })
    bench.accept({ sessionId: 0x1083cee35470003n, timeOut: 20_000 })
    expect(bench.said()).toEqual(['state CONNECTING', 'state CONNECTED', 'SyncConnected'])
    expect(bench.session.sessionId).toBe(0x1083cee35470003n)
    expect(bench.session.negotiatedTimeoutMs).toBe(20_000)
    expect(bench.session.password).toEqual(new Uint8Array(16).fill(7))
  })

  test('all hosts are tried in a round, then comes a pause (S29)', () => {
    const bench = new SessionBench()
    for (let i = 0; i < 4; i++) {
      bench.attempt = bench.connects.at(-1)?.attempt ?? 0
      bench.lose('refused')
      bench.pass(4000)
    }
    const tried = bench.connects.slice(0, 4)
    expect(new Set(tried.slice(0, 3).map(({ host: id }) => id))).toEqual(new Set(['1', '2', '3']))
    expect(tried[3]?.host).toBe('1')
    const waits = [1, 2, 3].map((i) => (tried[i]?.atMs ?? 0) - (tried[i - 1]?.atMs ?? 0))
    // Each lost attempt was waited for 4 s by the test; the session itself waited 0.5 s or 1.5 s.
    expect(waits.every((ms) => ms <= 4000 + 1500)).toBe(true)
    // Nobody is told of a loss before there was a connection (N35).
    expect(bench.said()).toEqual(['state CONNECTING'])
  })

  test('the delay is random, and the pause comes on top after a full round', () => {
    const bench = new SessionBench({ random: () => 0.25 })
    const due: number[] = []
    for (let i = 0; i < 3; i++) {
      bench.attempt = bench.connects.at(-1)?.attempt ?? 0
      bench.lose()
      due.push((bench.session.nextAttemptMs ?? 0) - bench.now)
      bench.now = bench.session.nextAttemptMs ?? 0
      bench.step({ kind: 'flush' })
    }
    expect(due).toEqual([250, 250, 1250])
  })

  test('an attempt is given up after the session time-out divided by the hosts (S26)', () => {
    const bench = new SessionBench()
    bench.open()
    bench.pass(9750)
    expect(bench.connects).toHaveLength(1)
    bench.pass(250)
    expect(bench.said()).toEqual(['state CONNECTING', 'disconnect'])
    bench.pass(500)
    expect(bench.connects).toHaveLength(2)
  })

  test('a member that joins later is tried, one that left is not', () => {
    const bench = new SessionBench()
    bench.hosts = []
    bench.attempt = 1
    bench.lose()
    bench.pass(10_000)
    expect(bench.connects).toHaveLength(1)
    bench.hosts = [host('9')]
    bench.pass(3000)
    expect(bench.connects.at(-1)?.host).toBe('9')
  })

  test('a session moves with its list of servers, and is the same there (S30)', () => {
    const bench = new SessionBench()
    bench.connect()
    const id = bench.session.sessionId
    bench.said()
    bench.hosts = [host('7')]
    bench.step({ kind: 'rebalance' })
    expect(bench.said()).toEqual(['disconnect', 'state CONNECTING', 'Disconnected'])
    bench.pass(2000)
    expect(bench.connects.at(-1)?.host).toBe('7')
    bench.open()
    expect(bench.connectRequests.at(-1)?.sessionId).toBe(id)
    bench.step({ kind: 'rebalance' })
    expect(bench.said()).toEqual([])
  })

  test('time-out 0 in the answer means expired, for good (W55)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.said()
    bench.submit(pathRequest(1, OpCode.create, '/sent'))
    bench.lose()
    bench.submit(pathRequest(2, OpCode.create, '/queued'))
    bench.pass(3000)
    bench.open()
    expect(bench.connectRequests.at(-1)?.sessionId).toBe(0x100000000000001n)
    bench.said()
    bench.accept({ timeOut: 0, sessionId: 0n })
    expect(bench.said()).toEqual(['disconnect', 'state CLOSED', 'settle 2 -112', 'Expired'])
    bench.submit(pathRequest(3, OpCode.getData, '/later'))
    expect(bench.said()).toEqual(['settle 3 -112'])
    bench.pass(60_000)
    expect(bench.said()).toEqual([])
  })

  test('a session is taken over with its id and password (S18)', () => {
    const resume = { sessionId: 0x77n, password: new Uint8Array(16).fill(3) }
    const bench = new SessionBench({ resume })
    bench.open()
    expect(bench.connectRequests[0]).toMatchObject({
      sessionId: 0x77n,
      passwd: resume.password,
    })
  })

  test('a read-only server is told apart (S43)', () => {
    const bench = new SessionBench({ canBeReadOnly: true })
    bench.open()
    expect(bench.connectRequests[0]?.readOnly).toBe(true)
    bench.accept({ readOnly: true })
    expect(bench.said()).toEqual([
      'state CONNECTING',
      'state CONNECTEDREADONLY',
      'ConnectedReadOnly',
    ])
  })
})

describe('time', () => {
  test('pings go out when nothing was sent for a third of the session (S27)', () => {
    const bench = new SessionBench()
    bench.connect()
    // A third is 10 s, and a ping comes one second early.
    bench.pass(8750)
    expect(typesOf(bench)).toEqual([])
    bench.pass(500)
    expect(bench.sent).toMatchObject([{ xid: SpecialXid.ping, type: OpCode.ping }])
    bench.answer(OpCode.ping)
    bench.pass(5000)
    bench.submit(pathRequest(1, OpCode.getData, '/a'))
    bench.answer(OpCode.getData)
    bench.pass(8750)
    expect(typesOf(bench)).toEqual([])
  })

  test('nothing heard for two thirds: the connection is dropped (S26)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.said()
    bench.submit(pathRequest(1, OpCode.create, '/a'))
    bench.pass(19_750)
    expect(bench.said()).toEqual([])
    bench.pass(250)
    expect(bench.said()).toEqual([
      'disconnect',
      'settle 1 -4 unknown',
      'state CONNECTING',
      'Disconnected',
    ])
  })

  test('no server heard for four thirds: expired by the client itself (S28)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.pass(39_750)
    bench.said()
    expect(bench.session.state).toBe('CONNECTING')
    bench.pass(250)
    expect(bench.session.state).toBe('CLOSED')
    expect(bench.said()).toContain('Expired')
  })

  test('a session that never was does not expire', () => {
    const bench = new SessionBench()
    bench.pass(600_000)
    expect(bench.session.state).toBe('CONNECTING')
  })

  test('after a sleep Disconnected comes before any queued reply, and servers decide', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.submit(pathRequest(1, OpCode.getData, '/a'))
    bench.said()
    bench.sleep(3_600_000)
    bench.answer(OpCode.getData)
    expect(bench.said()).toEqual(['disconnect', 'settle 1 -4', 'state CONNECTING', 'Disconnected'])
    bench.pass(3000)
    bench.open()
    bench.accept()
    expect(bench.session.state).toBe('CONNECTED')
  })

  test('a request past its time is given up, its late answer is ignored (S36)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.said()
    bench.submit({ ...pathRequest(1, OpCode.create, '/a'), deadlineMs: bench.now + 500 })
    bench.submit(pathRequest(2, OpCode.getData, '/b'))
    bench.pass(500)
    expect(bench.said()).toEqual(['settle 1 -122 unknown'])
    bench.answer(OpCode.create)
    bench.answer(OpCode.getData)
    expect(bench.said()).toEqual(['settle 2 0'])
  })

  test('a request that cannot be sent in time is known not to have happened', () => {
    const bench = new SessionBench()
    bench.submit({ ...pathRequest(1, OpCode.create, '/a'), unsentDeadlineMs: bench.now + 500 })
    bench.said()
    bench.pass(500)
    expect(bench.said()).toEqual(['settle 1 -4'])
  })
})

describe('requests', () => {
  test('answers are matched in order; another xid is fatal (W17)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.said()
    bench.submit(pathRequest(1, OpCode.create, '/a'))
    bench.submit(pathRequest(2, OpCode.getData, '/a'))
    expect(bench.sent.map(({ xid }) => xid)).toEqual([1, 2])
    bench.receive(reply(2))
    expect(bench.said()).toEqual([
      'settle 1 -4 unknown',
      'disconnect',
      'settle 2 -4',
      'state CONNECTING',
      'Disconnected',
    ])
  })

  test('a reply to nothing and a malformed one drop the connection, and nothing breaks', () => {
    for (const payload of [reply(1), new Uint8Array([1, 2, 3])]) {
      const bench = new SessionBench()
      bench.connect()
      bench.receive(payload)
      expect(bench.session.state).toBe('CONNECTING')
      bench.connect()
      expect(bench.session.state).toBe('CONNECTED')
    }
  })

  test('xids wrap from MAX_INT to 1 (W15)', () => {
    const bench = new SessionBench({ firstXid: 0x7fff_fffe })
    bench.connect()
    for (const id of [1, 2, 3]) bench.submit(pathRequest(id, OpCode.getData, '/a'))
    expect(bench.sent.map(({ xid }) => xid)).toEqual([0x7fff_fffe, 1, 2])
  })

  test('what was not sent waits for the next connection; what was sent is lost (W58)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.submit(pathRequest(1, OpCode.create, '/a'))
    bench.submit(pathRequest(2, OpCode.getData, '/a'))
    bench.said()
    bench.lose()
    expect(bench.said()).toEqual([
      'settle 1 -4 unknown',
      'settle 2 -4',
      'state CONNECTING',
      'Disconnected',
    ])
    bench.submit(pathRequest(3, OpCode.create, '/b'))
    expect(bench.said()).toEqual([])
    bench.sent.length = 0
    bench.connect()
    expect(typesOf(bench)).toEqual([OpCode.create])
    bench.answer(OpCode.create)
    expect(bench.settled.get(3)?.err).toBe(0)
  })

  test('a cancelled request that has not left is not sent', () => {
    const bench = new SessionBench()
    bench.submit(pathRequest(1, OpCode.create, '/a'))
    bench.submit(pathRequest(2, OpCode.create, '/b'))
    bench.step({ kind: 'cancel', id: 1 })
    bench.connect()
    expect(bench.sent).toHaveLength(1)
    bench.answer(OpCode.create)
    expect([...bench.settled.keys()]).toEqual([2])
  })

  test('lastZxidSeen follows replies and events, and never goes back (S35)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.submit(pathRequest(1, OpCode.getData, '/a'))
    bench.answer(OpCode.getData, { zxid: 40n })
    bench.notify(EventType.NodeCreated, '/x', 45n)
    bench.notify(EventType.NodeCreated, '/x', -1n)
    bench.lose()
    bench.connect()
    expect(bench.connectRequests.at(-1)?.lastZxidSeen).toBe(45n)
  })

  test('at most so many are in flight; the others follow as answers come', () => {
    const bench = new SessionBench()
    bench.connect()
    for (let id = 1; id <= 1005; id++) bench.submit(pathRequest(id, OpCode.getData, '/a'))
    expect(bench.sent).toHaveLength(1000)
    bench.answer(OpCode.getData)
    expect(bench.sent).toHaveLength(1000)
    expect(bench.sent.at(-1)?.xid).toBe(1001)
  })
})

describe('auth', () => {
  const info = (id: number, scheme: string) => ({ id, scheme, auth: null })

  test('is sent at once, again on each connection, before watches and requests (W58, S34)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.step({ kind: 'auth', info: info(1, 'digest') })
    expect(bench.sent).toMatchObject([{ xid: SpecialXid.auth, type: OpCode.auth }])
    expect(bodyOf(authPacketRecord, bench.sent[0])).toMatchObject({ type: 0, scheme: 'digest' })
    bench.answer(OpCode.auth)
    expect(bench.settled.get(1)?.err).toBe(0)
    bench.read(2, 'data', '/a', 'w')
    bench.answer(OpCode.getData)
    bench.lose()
    bench.submit(pathRequest(3, OpCode.create, '/b'))
    bench.sent.length = 0
    bench.connect()
    expect(typesOf(bench)).toEqual([OpCode.auth, OpCode.setWatches, OpCode.create])
  })

  test('that was lost with its connection is settled by the next one', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.step({ kind: 'auth', info: info(1, 'digest') })
    bench.lose()
    expect(bench.settled.has(1)).toBe(false)
    bench.sent.length = 0
    bench.connect()
    bench.answer(OpCode.auth)
    expect(bench.settled.get(1)?.err).toBe(0)
  })

  test('refused ends the handle, and everybody is told', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.submit(pathRequest(2, OpCode.create, '/a'))
    bench.step({ kind: 'auth', info: info(1, 'nonsense') })
    bench.said()
    bench.answer(OpCode.auth, { err: ErrorCode.AUTHFAILED })
    expect(bench.said()).toEqual([
      'settle 1 -115',
      'disconnect',
      'state AUTH_FAILED',
      'settle 2 -115 unknown',
      'AuthFailed',
    ])
  })
})

describe('close', () => {
  test('asks the server, then ends; later calls fail (S19)', () => {
    const bench = new SessionBench()
    bench.connect()
    bench.submit(pathRequest(1, OpCode.create, '/a'))
    bench.step({ kind: 'close' })
    expect(typesOf(bench)).toEqual([OpCode.create, OpCode.closeSession])
    bench.submit(pathRequest(2, OpCode.create, '/b'))
    bench.said()
    bench.answer(OpCode.create)
    bench.answer(OpCode.closeSession)
    expect(bench.said()).toEqual(['settle 1 0', 'disconnect', 'state CLOSED', 'Closed'])
    expect(bench.settled.get(2)?.err).toBe(ErrorCode.SESSIONEXPIRED)
  })

  test('does not wait for a server that is gone or silent', () => {
    const lost = new SessionBench()
    lost.connect()
    lost.step({ kind: 'close' })
    lost.lose()
    expect(lost.session.state).toBe('CLOSED')

    const silent = new SessionBench()
    silent.connect()
    silent.step({ kind: 'close' })
    silent.pass(5000)
    expect(silent.session.state).toBe('CLOSED')

    const never = new SessionBench()
    never.step({ kind: 'close' })
    expect(never.session.state).toBe('CLOSED')
  })
})

test('replies and events are told in the order in which they came (N22)', () => {
  const bench = new SessionBench()
  bench.connect()
  bench.read(1, 'data', '/a', 'w')
  bench.submit(pathRequest(2, OpCode.setData, '/a'))
  bench.submit(pathRequest(3, OpCode.getData, '/a'))
  bench.said()
  bench.receive(
    reply(1),
    notification(EventType.NodeDataChanged, '/a', 11n),
    reply(2, { zxid: 11n }),
    reply(3, { zxid: 11n }),
  )
  expect(bench.said()).toEqual(['settle 1 0', 'NodeDataChanged /a w', 'settle 2 0', 'settle 3 0'])
})
