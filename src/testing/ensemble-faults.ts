/**
 * What can be done to an ensemble under test, in the same words for one in memory (`zabra/testing`)
 * and one in real tabs (`zabra/playwright`): a test of one reads like one of the other.
 *
 * Members have numbers, from 1. A fault holds from when its promise resolves. `heal` ends what was
 * done to the network, and only that: who is dead or frozen stays so.
 */

/** How long to wait, in the time of the ensemble. Every wait ends: with its result or a reason. */
export interface WaitOptions {
  /** Rejects after this with what was still missing. */
  readonly timeoutMs?: number
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** One number: always so long. Two: drawn anew for each message. */
export type Delay = number | readonly [minMs: number, maxMs: number]

/** Why a storage fails: no room, or its connection ends, or it answers no more. */
export type StorageFailure = 'quota' | 'closed' | 'hangs'

/** `Node`: a member by its number; where clients can be cut off as well, also one of those. */
export interface EnsembleFaults<Node = number> {
  // — processes —

  /** Ends it like `kill -9`: what is not on its disk is gone. */
  kill(member: number): Promise<void>
  /** Starts it again on what its storage holds. */
  restart(member: number): Promise<void>
  /** It does nothing, and its timers stand still; what comes to it waits. */
  freeze(node: Node): Promise<void>
  /** It goes on, and gets what has waited, all at once. */
  thaw(node: Node): Promise<void>

  // — network —

  /** Between two groups nothing gets through. Who is in no group is together with the others. */
  partition(...groups: readonly (readonly Node[])[]): Promise<void>
  /** Nothing to or from it. */
  isolate(node: Node): Promise<void>
  /** What `from` sends to `to` is lost, and not the other way round. */
  oneWay(from: Node, to: Node): Promise<void>
  /** Messages take longer: of everybody, or between these two. */
  delay(delay: Delay, between?: readonly [Node, Node]): Promise<void>
  /**
   * The chance, 0 to 1, that a message is lost. A link without it is broken for good, as a link is
   * that lost a packet for too long: its ends fall silent, and are replaced by a new link.
   */
  drop(chance: number, between?: readonly [Node, Node]): Promise<void>
  /** Ends partition, isolate, oneWay, delay and drop. */
  heal(): Promise<void>

  // — storage —

  /** Deletes it under the member, as "clear site data" does. It comes back as nobody. */
  wipeStorage(member: number): Promise<void>
  /** From the next write on, until the member is started again. */
  failStorage(member: number, failure?: StorageFailure): Promise<void>

  // — roles —

  /** Makes this voter the leader, by what makes leaders: elections. */
  forceLeader(member: number, options?: WaitOptions): Promise<void>
  /** The number of the member that leads and serves. */
  waitForLeader(options?: WaitOptions): Promise<number>
  /** Who can, serves; all of them hold the same, and no call waits for an answer. */
  waitForQuiet(options?: WaitOptions): Promise<void>
}

/** What can be done to a client, by its handle. */
export interface ClientFaults<Client> {
  /** The ensemble ends its session, as after its time-out. The handle hears of it by itself. */
  expireSession(client: Client): Promise<void>
  /** Its connection breaks. It comes back by itself, maybe to another member. */
  dropConnection(client: Client): Promise<void>
}
