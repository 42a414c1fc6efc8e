/** What the page says while a room is being founded: one sentence that a person can act on. */
import type { FoundingStatus, RefusalReason } from './founding-effect.ts'

export interface FoundingFacts {
  readonly phase: FoundingStatus['phase']
  readonly here: number
  readonly size: number
  readonly creator: FoundingStatus['creator']
  /** A peer holds the record and is about to send it. */
  readonly recordComing: boolean
  /** The link names an ensemble. */
  readonly exists: boolean
  /** Founded: this tab's server id, null for a client. */
  readonly sid: number | null
  readonly secondEnsemble: boolean
}

export function foundingText(facts: FoundingFacts): string {
  const text = textOf(facts)
  if (!facts.secondEnsemble) return text
  return `${text}; another ensemble of the same name was met and is left alone`
}

function textOf(facts: FoundingFacts): string {
  const { phase, here, size, creator } = facts
  const count = `${here} of ${size} here`
  if (phase === 'signing' || phase === 'pinning') return `${count}; founding the room`
  if (phase === 'founded') {
    return facts.sid === null
      ? 'this room exists already: joined as client'
      : `founded: this is machine ${facts.sid} of ${size}`
  }
  if (facts.recordComing) return 'this room exists already; receiving its founding record'
  if (facts.exists) return 'this room exists already; waiting for one of its machines to be open'
  if (creator === 'unnamed') return `${count}; asking who was first in this room`
  if (creator === 'away') {
    return `${count}; the creator of this room is away; the room starts when its tab is open again`
  }
  if (here >= size) return `${count}; founding the room`
  const missing = size - here
  return `${count}; open this room's link in ${missing} more ${missing === 1 ? 'tab' : 'tabs'}`
}

/** About the record in the own storage, or about one that a peer sent. */
export function refusalText(which: 'stored' | 'received', reason: RefusalReason): string {
  if (which === 'stored') {
    return (
      'this tab is a machine of another ensemble than its link names; ' +
      'open the link in a new tab, or take the link of this ensemble from one of its machines'
    )
  }
  switch (reason) {
    case 'forged':
      return 'a founding record was not signed by its creator'
    case 'other-room':
      return 'a founding record of another room'
    case 'not-the-links':
      return "a founding record of another ensemble than this tab's link names"
    case 'second-ensemble':
      return 'a second ensemble of this name exists; this tab stays with the first it joined'
  }
}
