/** Bounds of the WebRTC transport, with unit and origin. Those of every link: ports/link.ts. */

/**
 * One message on the wire, header included. Chromium throws above 262,144 B, others announce
 * 65,536 (browser-facts §2); 16-64 KB pieces give the best rates.
 */
export const PIECE_MAX_BYTES: number = 64 * 1024
/**
 * Bytes a link holds for a carrier that is full or not open yet. Producers stop at 256 KiB; what
 * comes on top is replies and pulses. Chromium itself refuses at 16 MiB.
 */
export const LINK_QUEUE_MAX_BYTES: number = 16 * 1024 * 1024
/** Bytes that may arrive before the owner of a link listens: the peer verified us first. */
export const LINK_INBOX_MAX_BYTES: number = 8 * 1024 * 1024
/**
 * Bytes on their way from the page to a worker that has not taken them. Nothing slows the sender
 * down across a data channel, so beyond it the worker is as good as dead.
 */
export const RELAY_INBOUND_MAX_BYTES: number = 16 * 1024 * 1024
/** Bytes from the worker that wait in the page. The worker's own watermarks stop far below. */
export const RELAY_OUTBOUND_MAX_BYTES: number = 2 * 1024 * 1024

/** Simultaneous client connections over one link, both directions. A tab has one or two. */
export const MUX_CONNECTIONS_MAX = 256
/** Bytes of one connection in flight before the other side took them: a connection's fair share. */
export const MUX_WINDOW_BYTES: number = 1024 * 1024
/** Bytes of one connection that wait for window or link; beyond it that connection closes. */
export const MUX_QUEUE_MAX_BYTES: number = 8 * 1024 * 1024
/** Bytes said with an `open`: an address for people. */
export const MUX_INFO_MAX_BYTES = 1024

/** Connections a page keeps: everybody in a room that is as full as the broker allows (64). */
export const PEERS_MAX_DEFAULT = 63
/** Peers whose state is kept, connected or not: a broker could name any number. */
export const REMOTES_MAX = 256
/** A connection that is not verified by then is given up: ICE alone takes up to 15 s to fail. */
export const CONNECT_TIMEOUT_MS = 10_000
/** The side that does not offer asks when nothing came: the offer may have met no socket. */
export const ASK_AFTER_MS = 1_500
/**
 * Attempts at a time, made of its own accord by a page that does not know yet who votes. The first
 * that is answered tells it; in a room that founds itself everybody needs everybody, at most 7.
 */
export const NEWCOMER_ATTEMPTS_MAX = 4
/** An attempt that is older leaves its turn to the next: a page that stands still takes 10 s. */
export const TURN_MS = 3_000
/** Between looks whether it is a peer's turn. */
export const TURN_CHECK_MS = 100
/** First and longest delay between attempts at one peer. */
export const RETRY_FIRST_MS = 250
export const RETRY_CAP_MS = 8_000
/** A link that lived so long was good: its end starts the delays anew. */
export const STABLE_AFTER_MS = 5_000
/** After a refusal only news (a reload, a new version) can help. */
export const REFUSED_RETRY_MS = 15_000
/** Time for a refusal to reach the other side before the connection is cut. */
export const REFUSAL_GRACE_MS = 300
/** New channels on one connection while no broker is there; then it must be a fresh connection. */
export const RENEWALS_MAX = 100
/** ICE candidates kept or taken per attempt. A machine with many interfaces has some 30. */
export const CANDIDATES_MAX = 128
/** One sealed signal in characters; the broker's own bound is above it once sealed. */
export const SIGNAL_TEXT_MAX: number = 16 * 1024

/** A page-to-page message on simple-peer's own channel; a founding record is some 2 KB. */
export const PAGE_MESSAGE_MAX_BYTES: number = 64 * 1024
/** Page messages that wait for the handshake or for their turn. */
export const PAGE_INBOX_MAX = 64
/** A founding record inside a hello. */
export const FOUNDING_MAX_BYTES: number = 32 * 1024
export const HELLO_TEXT_MAX = 256
export const HELLO_CHAIN_MAX = 256
