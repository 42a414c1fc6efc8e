/** Data channels without a network: two ends that deliver in order, by microtask. */

export class FakeChannel {
  binaryType: BinaryType = 'blob'
  bufferedAmountLowThreshold = 0
  bufferedAmount = 0
  readyState: RTCDataChannelState = 'connecting'
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null
  onerror: ((event: unknown) => void) | null = null
  onbufferedamountlow: (() => void) | null = null
  /** What was handed to the wire and not delivered yet. */
  readonly wire: Uint8Array[] = []
  /** Sizes of all messages ever sent. */
  readonly sizes: number[] = []
  /** Chromium's bound; beyond it `send` throws. */
  maxMessageBytes = 262_144
  isAutomatic = true
  other: FakeChannel | null = null

  /** For the code under test. */
  get rtc(): RTCDataChannel {
    return this as unknown as RTCDataChannel
  }

  open(): void {
    this.readyState = 'open'
    this.onopen?.()
  }

  send(data: Uint8Array): void {
    if (this.readyState !== 'open') throw new DOMException('not open', 'InvalidStateError')
    if (data.length > this.maxMessageBytes) throw new TypeError('message too long')
    this.wire.push(data.slice())
    this.sizes.push(data.length)
    this.bufferedAmount += data.length
    if (this.isAutomatic) queueMicrotask(() => this.deliver(1))
  }

  /** Lets that many messages arrive. */
  deliver(count: number): void {
    for (const message of this.wire.splice(0, count)) {
      const wasAbove = this.bufferedAmount > this.bufferedAmountLowThreshold
      this.bufferedAmount -= message.length
      this.other?.onmessage?.({ data: message.buffer })
      if (wasAbove && this.bufferedAmount <= this.bufferedAmountLowThreshold) {
        this.onbufferedamountlow?.()
      }
    }
  }

  close(): void {
    if (this.readyState === 'closed') return
    this.readyState = 'closed'
    queueMicrotask(() => {
      this.onclose?.()
      this.other?.close()
    })
  }
}

export function fakeChannels(): [FakeChannel, FakeChannel] {
  const [a, b] = [new FakeChannel(), new FakeChannel()]
  a.other = b
  b.other = a
  return [a, b]
}

/** Everything that microtasks can do is done. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
