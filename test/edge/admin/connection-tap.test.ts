import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/core/base/bytes.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import type { ConnectionTap } from '../../../src/edge/admin/connection-tap.ts'
import { Traffic } from '../../../src/edge/admin/traffic.ts'
import type { ClientChannel } from '../../../src/ports/client-channel.ts'

const LIMITS = { largeRequestBytes: 100, slowRequestMs: 50 }

function rig(): {
  readonly traffic: Traffic
  readonly tap: ConnectionTap
  readonly channel: ClientChannel
  readonly told: string[]
  at: number
} {
  const channel: ClientChannel = {
    send: () => undefined,
    close: () => undefined,
    onMessage: () => undefined,
    onClose: () => undefined,
  }
  const clock = { at: 1_000 }
  const traffic = new Traffic(LIMITS, () => clock.at)
  const told: string[] = []
  traffic.listener = {
    wants: (type) => type === OpCode.create,
    answered: (_tap, { type, err, body }) => told.push(`answered ${type} ${err} ${body.length}`),
    unanswered: (_tap, type) => told.push(`unanswered ${type}`),
    closed: (_tap, reason, detail) => told.push(`closed ${reason} ${String(detail)}`),
    large: (_tap, type, bytes) => told.push(`large ${type} ${bytes}`),
    slow: (_tap, type, tookMs) => told.push(`slow ${type} ${tookMs}`),
  }
  const facts = { address: '10.0.0.1', port: 1234, establishedMs: 5, isSecure: false }
  const tap = traffic.tap(channel, facts) as ConnectionTap
  tap.onMessage = () => undefined
  return {
    traffic,
    tap,
    channel,
    told,
    get at() {
      return clock.at
    },
    set at(ms) {
      clock.at = ms
    },
  }
}

function frame(bytes: number, fill: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + bytes))
  view.setInt32(0, bytes)
  fill(new DataView(view.buffer, 4))
  return new Uint8Array(view.buffer)
}

const CONNECT = frame(45, () => undefined)
const CONNECTED = frame(37, (view) => {
  view.setInt32(4, 6_000)
  view.setBigInt64(8, 0x77n)
})

function request(xid: number, type: number, bytes = 8): Uint8Array {
  return frame(bytes, (view) => {
    view.setInt32(0, xid)
    view.setInt32(4, type)
  })
}

function reply(xid: number, zxid: bigint, err = 0): Uint8Array {
  return frame(20, (view) => {
    view.setInt32(0, xid)
    view.setBigInt64(4, zxid)
    view.setInt32(12, err)
  })
}

describe('a tapped connection', () => {
  it('learns its session', () => {
    const { traffic, tap, channel } = rig()
    channel.onMessage(CONNECT)
    tap.send(CONNECTED)
    expect([tap.session, tap.timeoutMs]).toEqual([0x77n, 6_000])
    expect([tap.received, tap.sent, traffic.connectionRequests]).toEqual([1, 1, 1])
  })

  it('measures requests in order, several in one message', () => {
    const server = rig()
    const { traffic, tap, channel } = server
    channel.onMessage(CONNECT)
    tap.send(CONNECTED)
    channel.onMessage(concat([request(1, OpCode.create), request(2, OpCode.getData)]))
    expect(tap.outstanding).toBe(2)
    server.at += 10
    tap.send(reply(1, 7n))
    server.at += 20
    tap.send(reply(2, 8n, -101))
    expect(tap.outstanding).toBe(0)
    expect([tap.lastCxid, tap.lastZxid, tap.lastLatencyMs]).toEqual([2, 8n, 30])
    expect([traffic.updates.max, traffic.reads.max, tap.latency.max]).toEqual([10, 30, 30])
    expect(server.told).toEqual(['answered 1 0 0'])
  })

  it('events and answers out of turn are no answers to what waits', () => {
    const { traffic, tap, channel } = rig()
    channel.onMessage(CONNECT)
    tap.send(CONNECTED)
    channel.onMessage(concat([request(1, OpCode.getData), request(-4, OpCode.auth)]))
    tap.send(concat([reply(SpecialXid.notification, 9n), reply(-4, 0n)]))
    expect([tap.outstanding, tap.lastZxid]).toEqual([1, -1n])
    expect(traffic.watchBytes).toBe(20)
    tap.send(reply(1, 9n))
    expect(tap.outstanding).toBe(0)
  })

  it('goes on measuring when a request got no answer', () => {
    const { tap, channel } = rig()
    channel.onMessage(CONNECT)
    tap.send(CONNECTED)
    channel.onMessage(concat([request(1, OpCode.getData), request(2, OpCode.getData)]))
    tap.send(reply(2, 5n))
    expect([tap.outstanding, tap.lastCxid]).toEqual([0, 2])
  })

  it('tells what is slow, what is large, and what was asked for in vain', () => {
    const server = rig()
    const { tap, channel, told } = server
    channel.onMessage(CONNECT)
    server.at += 60
    tap.send(CONNECTED)
    channel.onMessage(request(1, OpCode.create, 120))
    channel.onClose('read ECONNRESET')
    channel.onClose('again')
    expect(told).toEqual([
      `slow ${OpCode.createSession} 60`,
      'large 1 120',
      'unanswered 1',
      'closed io_exception read ECONNRESET',
    ])
  })

  it('bytes that are no frames are counted as far as they are some', () => {
    const { tap, channel } = rig()
    channel.onMessage(CONNECT)
    tap.send(CONNECTED)
    for (const bytes of [new Uint8Array(3), frame(2, () => undefined), new Uint8Array(0)]) {
      channel.onMessage(bytes)
      tap.send(bytes)
    }
    expect(tap.outstanding).toBe(0)
  })
})
