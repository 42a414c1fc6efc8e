/**
 * One client connection, from either end: whole length-prefixed frames, one or more per message
 * (the same bytes as on a TCP connection).
 *
 * `send` takes the bytes over, never blocks and does nothing once closed. What arrives before
 * `onMessage` is assigned is kept. `onClose` fires once, for whatever reason but our own `close`.
 */
export interface ClientChannel {
  send(bytes: Uint8Array): void
  close(reason: string): void
  onMessage: (bytes: Uint8Array) => void
  onClose: (reason: string) => void
}

/** Many client channels over one link; both sides may open. */
export interface ClientMultiplexer {
  open(): ClientChannel
  onOpen: (channel: ClientChannel) => void
}
