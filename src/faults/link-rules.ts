/** What befalls messages between machines, as plain values that travel to a worker. */

/** One number, or drawn for each message between two. */
export type DelayMs = number | readonly [leastMs: number, mostMs: number]

/** Of one direction of the links with one peer. Absent: as it is without faults. */
export interface LinkRule {
  /** Nothing arrives and nobody is told. What was said waits, as in the buffers of a channel. */
  readonly cut?: boolean
  readonly delayMs?: DelayMs
  /** Probability that a message is lost. A link with a hole is none (Q82): it is mute from then. */
  readonly drop?: number
  /**
   * Probability that a message between members comes twice. No channel does that: a member must
   * survive it. Connections of clients are spared, for nothing in them is counted.
   */
  readonly duplicate?: number
  /** Probability that a message comes after the next one; all else as with `duplicate`. */
  readonly reorder?: number
}

/** By the incarnation of the peer; `others` for all that are not named. */
export interface DirectionRules {
  readonly peers: Readonly<Record<string, LinkRule>>
  readonly others: LinkRule
}

export interface LinkRules {
  /** What this machine hears. */
  readonly inbound: DirectionRules
  /** What it says. */
  readonly outbound: DirectionRules
}

export type LinkDirection = keyof LinkRules

const NO_RULES: DirectionRules = { peers: {}, others: {} }

export const NO_LINK_FAULTS: LinkRules = { inbound: NO_RULES, outbound: NO_RULES }

/** `peer` null: nobody knows yet who is at the other end. */
export function ruleFor(rules: LinkRules, direction: LinkDirection, peer: string | null): LinkRule {
  const { peers, others } = rules[direction]
  return (peer === null ? undefined : peers[peer]) ?? others
}
