/**
 * Bounds of the broker, with unit and origin. They protect one small process from any sender; a
 * room of the size the product aims at stays far below each of them.
 */

export interface SignalLimits {
  /** Open sockets, joined or not. */
  readonly socketsMax: number
  readonly roomsMax: number
  readonly membersPerRoomMax: number
  /** Longest message from a client, in bytes of UTF-8. */
  readonly messageBytesMax: number
  /** Token bucket per socket: messages at once… */
  readonly messageBurst: number
  /** …and refill per second. */
  readonly messagesPerSecond: number
  /** Messages dropped for lack of tokens since the bucket was full, before the socket closes. */
  readonly strikesMax: number
  /** Relayed bytes that wait for one receiver; more are refused to the sender. */
  readonly relayQueueBytesMax: number
  /** All bytes that wait for one receiver; beyond it the receiver is closed and joins anew. */
  readonly queueBytesMax: number
  /** How long a socket may stay without joining a room. */
  readonly joinTimeoutMs: number
}

export const SIGNAL_LIMITS: SignalLimits = {
  // A socket with its state takes some 20 KB in Node; 4,096 are 80 MB.
  socketsMax: 4096,
  roomsMax: 1024,
  // 9 voters and observers beside them; a mesh of more pages is not what a room is for.
  membersPerRoomMax: 64,
  // An SDP of data channels is 1-3 KB, sealed and in base64 some 5 KB.
  messageBytesMax: 32 * 1024,
  // One connection costs 1 description and about 10 candidates; 64 peers found at once, times some.
  messageBurst: 1024,
  messagesPerSecond: 128,
  strikesMax: 1024,
  relayQueueBytesMax: 1024 * 1024,
  queueBytesMax: 2 * 1024 * 1024,
  joinTimeoutMs: 10_000,
}
