import { afterEach, describe, expect, it } from 'vitest'
import { openChannelLink } from '../../../src/adapters/webrtc/channel-link.ts'
import { relayChannel } from '../../../src/adapters/webrtc/channel-relay.ts'
import { LINK_HIGH_WATERMARK_BYTES, type Link } from '../../../src/ports/link.ts'
import { fakeChannels, settled, type FakeChannel } from './fake-channel.ts'
import { eventually } from '../../eventually.ts'

const ports: MessagePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

/** left = the worker behind a relay, right = a link on the far channel. */
function relayed(): {
  readonly near: FakeChannel
  readonly far: FakeChannel
  readonly left: Link
  readonly right: Link
  readonly workerPort: MessagePort
} {
  const [near, far] = fakeChannels()
  const { port1, port2 } = new MessageChannel()
  ports.push(port1, port2)
  relayChannel(near.rtc, port2)
  const left = openChannelLink(port1)
  const right = openChannelLink(far.rtc)
  return { near, far, left, right, workerPort: port1 }
}

describe('a relayed channel', () => {
  it('carries both ways, also what was sent before it opened', async () => {
    const { near, far, left, right } = relayed()
    const atLeft: number[] = []
    const atRight: number[] = []
    left.onMessage = (message) => atLeft.push(message.length)
    right.onMessage = (message) => atRight.push(message.length)
    left.send(new Uint8Array(1))
    near.open()
    far.open()
    left.send(new Uint8Array(300_000))
    right.send(new Uint8Array(200_000))
    await eventually(() => expect([atLeft, atRight]).toEqual([[200_000], [1, 300_000]]))
  })

  it('shows the worker the back-pressure of the channel', async () => {
    const { near, far, left } = relayed()
    near.isAutomatic = false
    near.open()
    far.open()
    await settled()
    for (let i = 0; i < 40; i++) left.send(new Uint8Array(60_000))
    const total = 40 * 60_001
    await eventually(() => expect(near.bufferedAmount).toBeGreaterThan(200_000))
    for (let i = 0; i < 20; i++) await settled()
    // In the channel at most the watermark, in the page's queue what the worker may send ahead.
    expect(near.bufferedAmount).toBeLessThan(LINK_HIGH_WATERMARK_BYTES + 65_536)
    expect(left.bufferedBytes).toBeGreaterThan(total - 2 * (LINK_HIGH_WATERMARK_BYTES + 65_536))
    let writable = 0
    left.onWritable = () => writable++
    let sent = 0
    far.onmessage = ({ data }) => (sent += (data as ArrayBuffer).byteLength)
    await eventually(() => {
      near.deliver(100)
      expect(sent).toBe(total)
    })
    await eventually(() => expect([writable, left.bufferedBytes]).toEqual([1, 0]))
  })

  it('the worker closes: what it sent before still leaves, then the end', async () => {
    const { near, far, left, right } = relayed()
    near.open()
    far.open()
    await settled()
    const received: number[] = []
    right.onMessage = (message) => received.push(message.length)
    const closed = new Promise((resolve) => (right.onClose = resolve))
    for (let i = 0; i < 3; i++) left.send(new Uint8Array(100 + i))
    left.close('worker is done')
    await closed
    expect(received).toEqual([100, 101, 102])
  })

  it('the far side closes: the worker hears', async () => {
    const { near, far, left, right } = relayed()
    near.open()
    far.open()
    right.close('gone')
    const reason = await new Promise((resolve) => (left.onClose = resolve))
    expect(reason).toBe('channel closed')
    left.send(new Uint8Array(5))
  })

  it('a worker that takes nothing ends the link instead of the memory', async () => {
    const [near, far] = fakeChannels()
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    // Nobody reads port1, so no credit ever comes back.
    relayChannel(near.rtc, port2)
    near.open()
    far.open()
    const piece = new Uint8Array(65_536).fill(1)
    for (let i = 0; i < 16 * 16 + 1; i++) near.onmessage?.({ data: piece.slice().buffer })
    await settled()
    expect(near.readyState).toBe('closed')
  })
})
