/**
 * A reliable, ordered message channel to one peer (data channel in the worker, relayed port, TCP,
 * memory). Message boundaries are kept; a lost message breaks the link (Q82).
 *
 * - `send` never blocks, never splits and never throws; on a closed link it does nothing. The
 *   adapter takes the bytes over: the caller must not change them afterwards. Messages larger than
 *   one piece of the carrier are chunked by the adapter below this interface (both sides are
 *   ours), up to LINK_MESSAGE_MAX_BYTES; a larger one closes the link, since nothing may be dropped
 *   silently.
 * - `bufferedBytes` counts what has not left yet. Above the high watermark the caller stops
 *   producing bulk; `onWritable` fires when it fell below the low one.
 * - What arrives before `onMessage` is assigned is kept, within a bound, and delivered in order
 *   when it is: the peer may start as soon as it has verified us, before we have verified it.
 * - `onClose` fires exactly once, never inside a call of `send` or `close`, also after our own
 *   `close`; assigned late, it fires then. After it nothing is delivered.
 */
export interface Link {
  send(message: Uint8Array): void
  readonly bufferedBytes: number
  onMessage: (message: Uint8Array) => void
  onWritable: () => void
  onClose: (reason: string) => void
  close(reason: string): void
}

/** 4 MiB: a JUTE_MAX_BUFFER packet (1 MiB, W5) with room for what a batch joins to it. */
export const LINK_MESSAGE_MAX_BYTES: number = 4 * 1024 * 1024
/** Stop producing above it: best one-way rates need no more (browser-facts §2, 256 KB). */
export const LINK_HIGH_WATERMARK_BYTES: number = 256 * 1024
/** `bufferedamountlow` threshold that keeps the wire busy meanwhile (browser-facts §2, 64 KB). */
export const LINK_LOW_WATERMARK_BYTES: number = 64 * 1024
