/** What each program of the scenario gets: a session, a stage to be seen on, and an end. */
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'

/** Shows a program at work. */
export interface Stage {
  /**
   * The program is about to do this. Resolves when the pace of the show lets it; rejects when it
   * must end. So between any two steps a tab can be closed, and the tests do.
   */
  step(text: string, path?: string): Promise<void>
  /** What came of the step that was shown last. */
  outcome(text: string): void
}

export interface Program {
  /** Of one session. When that expires the program rejects with SESSIONEXPIRED: start it anew. */
  readonly client: ZooKeeperClient
  readonly stage: Stage
  /** The program's name among its kind, as `worker3.example.com`. */
  readonly name: string
  /** Ends the program: it rejects with the signal's reason. */
  readonly signal: AbortSignal
}
