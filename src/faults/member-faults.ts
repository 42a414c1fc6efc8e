/**
 * What a machine suffers, as one plain value. The whole of it is set each time, so that whoever
 * controls it never has to know what was set before, and a machine that starts anew gets the same.
 */
import { NO_LINK_FAULTS, type DirectionRules, type LinkRules } from './link-rules.ts'
import { NO_STORAGE_FAULT, type StorageRule } from './faulty-storage.ts'

export interface MemberFaults {
  /**
   * Grows with each change. A page that is stopped by its debugger while it passes one on goes on
   * with it after those that came later; that one is not taken any more.
   */
  readonly turn: number
  readonly links: LinkRules
  readonly storage: StorageRule
}

export const NO_FAULTS: MemberFaults = { turn: 0, links: NO_LINK_FAULTS, storage: NO_STORAGE_FAULT }

const ALL_CUT: DirectionRules = { peers: {}, others: { cut: true } }

/** Before it is known what it suffers. */
export const MUTE: MemberFaults = {
  turn: 0,
  links: { inbound: ALL_CUT, outbound: ALL_CUT },
  storage: NO_STORAGE_FAULT,
}

/**
 * The comlink interface that only worker/member-with-faults.worker.ts has: over a port of its own,
 * which the page hands in as the first message.
 */
export interface FaultControl {
  /** Resolves when it holds, or a later one does. */
  set(faults: MemberFaults): Promise<void>
  /** Resolves when the page was told how the machine is now. */
  refresh(): Promise<void>
}

/** The first message to a worker with faults: `{ [FAULT_PORT]: { port, seed } }`. */
export const FAULT_PORT = 'zabra faults'

export interface FaultGreeting {
  readonly port: MessagePort
  /** Of what is drawn: which messages are lost, and how long they take. */
  readonly seed: string
}
