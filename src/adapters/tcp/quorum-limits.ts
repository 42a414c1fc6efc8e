/** Every bound of the ports between servers: number, unit, and where it comes from. */

/** ms from the beginning of a connection to its first whole message. cnxTimeout (Q21). */
export const HANDSHAKE_MS = 5_000
/**
 * Connections of one port that have not said who they are. Ours: each member of a large ensemble
 * twice, and a bound on what strangers can open.
 */
export const UNKNOWN_CONNECTIONS_MAX = 64
/** Longest election message, bytes (Q21: PACKETMAXSIZE). */
export const ELECTION_MESSAGE_BYTES_MAX: number = 512 * 1024
/** Most bytes of addresses in an initial message; what ZooKeeper reads. */
export const ADDRESS_BYTES_MAX = 2048
/** First and longest delay between attempts to reach an election port, ms. Ours. */
export const ELECTION_RETRY = { firstMs: 100, capMs: 2_000 } as const
/**
 * ms that the member with the smaller id leaves the other one to connect before it asks for a
 * connection. Ours: the other one tries by itself, if it is one of ours.
 */
export const PROMPT_AFTER_MS = 400
/** A request to connect that comes so soon after a connection has met it on its way, ms. Ours. */
export const FRESH_CONNECTION_MS = 1_000
/** A connection that lasted so long was a good one: the next attempt is at once, ms. Ours. */
export const STEADY_CONNECTION_MS = 5_000
/**
 * ms between attempts to reach the quorum port of a leader that may not know yet that it leads.
 * ZooKeeper sleeps a second (Learner.connectToLeader).
 */
export const LEADER_RETRY_MS = 100
/** Pulses that are sent to a peer that never answered one: it is no member of ours. */
export const PULSES_UNANSWERED_MAX = 8
/** Snapshot bytes that a learner reads ahead of its disk. Ours. */
export const SNAPSHOT_AHEAD_BYTES: number = 1024 * 1024
/**
 * Bytes that may wait for a peer that does not read. The core bounds a learner's lag far below;
 * this bounds what is no lag: a snapshot's window, and packets of one step.
 */
export const UNSENT_BYTES_MAX: number = 128 * 1024 * 1024
