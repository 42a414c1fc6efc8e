/** Every bound of Zab: number, unit, and where it comes from. */

// --- time -------------------------------------------------------------------------------------

/** ms between two pulses of a link. Design §4: far below the silence limit, so one may be late. */
export const PULSE_INTERVAL_MS = 250
/**
 * ms without any frame after which a link counts as dead. Design §4: a crashed tab is noticed by
 * nothing else (ICE needs 6–16 s), and a busy page delays its worker by less than that.
 */
export const SILENCE_LIMIT_MS = 1200
/** ms that a suspected peer has to answer. Design §4: a crash hint shortens the wait, no more. */
export const PROBE_TIMEOUT_MS = 300
/** ms between two tick inputs. The finest time-out here (finalizeWait) is four of them. */
export const TICK_INTERVAL_MS = 50

/** ZooKeeper's sample configuration (Q4, S4). */
export const TICK_TIME_MS = 2000
/** Ticks for discovery and synchronisation (Q4). */
export const INIT_LIMIT_TICKS = 10
/** Ticks that a learner or its leader may be silent (Q4). */
export const SYNC_LIMIT_TICKS = 5
/** Part of a tick between two PINGs of the leader (Q49). */
export const PINGS_PER_TICK = 2

/** ms that a better vote is waited for once a quorum agrees (Q14). */
export const FINALIZE_WAIT_MS = 200
/** ms until the first repetition of an unanswered notification (Q17); doubles from there. */
export const NOTIFICATION_INTERVAL_MS = 200
/**
 * Longest ms between two repetitions. ZooKeeper's 60 s is an outage after a long partition (Q17);
 * a notification is 50 bytes, so there is nothing to save.
 */
export const NOTIFICATION_INTERVAL_MAX_MS = 1600
/**
 * ms in which the quorum that elected a leader must show up (FOLLOWERINFO, before any disk write)
 * and a leader must show up for its learner (LEADERINFO). Ours, as Q55: more than the silence
 * limit, in which every other way of being gone is noticed, and far less than initLimit, which a
 * leader that nobody follows would otherwise sit out.
 */
export const RENDEZVOUS_LIMIT_MS = 2500
/**
 * ms in which a follower that takes observers has to take one. Ours: an observer has others to ask,
 * and one that is not up to date itself may be long.
 */
export const MASTER_WELCOME_MS = 800

/**
 * Observers of one ensemble. Design §4: bounded, each linked to every voter; a page holds some 30
 * peer connections before it gets slow, voters' and clients' included.
 */
export const OBSERVERS_MAX = 16
/**
 * Observers that are sent a snapshot at the same time; voters never wait (Q41). ZooKeeper allows
 * ten: a tab produces SNAP_SLICE_BYTES for each of them in one step, beside its commits.
 */
export const OBSERVER_SNAPS_MAX = 3
/** Observers that are brought up to date without a snapshot at the same time: ZooKeeper's. */
export const OBSERVER_DIFFS_MAX = 100

// --- size -------------------------------------------------------------------------------------

/** Committed entries kept in memory for DIFF (Q32). */
export const COMMIT_LOG_COUNT = 500
/** And their bytes. A quarter of the 16 MiB that a data channel takes before it throws. */
export const COMMIT_LOG_BYTES: number = 4 * 1024 * 1024
/**
 * Bytes that are committed and that a follower has not acknowledged; past it the follower is
 * synchronised anew (design §5). Some seconds of a saturated channel (8 MB/s, browser-facts §2).
 */
export const LEARNER_LAG_BYTES: number = 32 * 1024 * 1024
/** Most bytes for DIFF, whatever commitLogCount says: half of what makes a learner a laggard. */
export const COMMIT_LOG_BYTES_MAX: number = LEARNER_LAG_BYTES / 2
/**
 * A learner that memory cannot serve is brought up to date from the log on disk while that is less
 * than this part of a snapshot: zookeeper.snapshotSizeFactor (Q30).
 */
export const SNAPSHOT_SIZE_FACTOR = 0.33
/**
 * … and in any case not more bytes of entries: they are in memory before the first one leaves, and
 * a data channel, which says no at 16 MiB, takes them with what memory adds and all packet heads.
 */
export const LOG_DIFF_BYTES_MAX: number = COMMIT_LOG_BYTES
/**
 * … nor more of them behind a TRUNC, where a learner keeps them as packets until its disk has cut:
 * half of DEFERRED_PACKETS, a PROPOSAL and a COMMIT each.
 */
export const LOG_TRUNC_COUNT_MAX = 50_000
/** Bytes of entries that one reading of the log brings: some ms of a disk between two appends. */
export const LOG_READ_BYTES: number = 1024 * 1024
/** Bytes of them that leave in one step: some 4 ms of encoding, as SNAP_SLICE_BYTES. */
export const LOG_SLICE_BYTES: number = 256 * 1024
/** Packets that a learner keeps while its storage truncates. The bytes are bounded as above. */
export const DEFERRED_PACKETS = 200_000

/**
 * Snapshot bytes on their way that the learner has not made durable: a channel keeps full with it
 * (8 MB/s × 30 ms) and pulses behind it stay far below the silence limit.
 */
export const SNAP_WINDOW_BYTES: number = 256 * 1024
/** Snapshot bytes produced in one step: some 4 ms of serialising (design §5). */
export const SNAP_SLICE_BYTES: number = 128 * 1024
/** Longest snapshot that a learner takes: a tree lives in memory, and no tab has more for it. */
export const SNAPSHOT_MAX_BYTES: number = 512 * 1024 * 1024

/** Longest packet: an entry may be as long as a field (W6), plus header, txn fields and digest. */
export const PEER_PACKET_MAX_BYTES: number = 4 * 1024 * 1024
/**
 * Bytes at which a frame is closed. One SCTP message that is neither dominated by its overhead nor
 * keeps a pulse waiting; a longer packet gets a frame of its own.
 */
export const FRAME_TARGET_BYTES: number = 64 * 1024
/** Longest frame that is read: one packet of the longest kind after an almost full frame. */
export const PEER_FRAME_MAX_BYTES: number = PEER_PACKET_MAX_BYTES + FRAME_TARGET_BYTES

/**
 * Counter from which a leader hands over to a new epoch: a zxid has 32 bits for it (D35). So far
 * below the end that everything proposed in one step still fits.
 */
export const COUNTER_ROLLOVER = 0xfff0_0000
/** Highest epoch that is believed. Java's signed long leaves 31 bits (Q3). */
export const EPOCH_MAX = 0x7fff_ffff
