/**
 * A reliable, ordered message channel to one peer (data channel in the worker, relayed port, TCP,
 * memory). Message boundaries are kept; a lost message breaks the link (Q82).
 *
 * - `send` never blocks and never splits; messages larger than `maxMessageBytes` are chunked by
 *   the adapter below this interface (both sides are ours), up to LINK_MESSAGE_MAX.
 * - `bufferedBytes` counts what has not left yet. Above the high watermark the caller stops
 *   producing bulk; `onWritable` fires when it fell below the low one.
 * - `onClose` fires exactly once, also after our own `close`.
 */
export interface Link {
  send(message: Uint8Array): void
  readonly bufferedBytes: number
  onMessage: (message: Uint8Array) => void
  onWritable: () => void
  onClose: (reason: string) => void
  close(reason: string): void
}
