/** Every bound of the client: number, unit, origin. */

import { JUTE_MAX_BUFFER } from '../core/jute/framing.ts'
import { JUTE_MAX_WRITTEN } from '../core/jute/writer.ts'

/** What zkCli asks for (C4), in ms. Servers grant 2 to 20 ticks. */
export const SESSION_TIMEOUT_DEFAULT_MS = 30_000

/** Requests that are queued or unanswered. Ours: beyond it a call is refused as THROTTLEDOP. */
export const REQUESTS_MAX = 10_000

/** Bytes of requests that wait for a connection. Ours, same meaning. */
export const QUEUED_BYTES_MAX: number = 64 * 1024 * 1024

/** Unanswered requests on one connection: `zookeeper.globalOutstandingLimit` of a server. */
export const IN_FLIGHT_MAX = 1000

/** A frame that we send. A server closes the connection at a longer one, without a word (W5). */
export const REQUEST_FRAME_MAX_BYTES: number = JUTE_MAX_BUFFER

/**
 * A frame that we take. Not `jute.maxbuffer`: with it a long getChildren answer makes a client
 * reconnect for ever (W5). A server of ours writes no longer record than this.
 */
export const REPLY_FRAME_MAX_BYTES: number = JUTE_MAX_WRITTEN

/** Frames are joined into messages of about this size, in bytes. Ours: a lane must keep moving. */
export const MESSAGE_BYTES_MAX: number = 256 * 1024

/** Path characters in one setWatches batch: SET_WATCHES_MAX_LENGTH of ClientCnxn (W57). */
export const SET_WATCHES_MAX_CHARS: number = 128 * 1024

/** A ping goes out at least this often, in ms: MAX_SEND_PING_INTERVAL of ClientCnxn (S27). */
export const PING_INTERVAL_MAX_MS = 10_000

/** Random delay before every attempt but the first, in ms (S29). */
export const RECONNECT_DELAY_MAX_MS = 1000

/** Pause after a full round of unsuccessful attempts, in ms (S29). */
export const ROUND_PAUSE_MS = 1000

/** How long `close` waits for the server's answer, in ms. Ours: the session expires anyway. */
export const CLOSE_WAIT_MS = 5000

/**
 * How long a request waits for a connection before it is given up as never sent, in ms. Ours: long
 * enough for an election and a round of members, so a call outlives a failover.
 */
export const UNSENT_WAIT_MS = 15_000

/** Remembered `addAuthInfo` calls. Ours. */
export const AUTH_INFOS_MAX = 64

/** Events that wait for a slow reader of a watch stream. Ours. */
export const WATCH_STREAM_QUEUE_MAX = 1024

/** Period of our own ticks, in ms. Ours: fine enough for the pings of the shortest session. */
export const TICK_MS = 250
