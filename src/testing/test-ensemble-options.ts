/** What an ensemble under test is made with. */
import type { ServiceSettings } from './ensemble-parts.ts'

export interface TestEnsembleOptions {
  /** Voters, 1 to 9; default 3. */
  readonly size?: number
  /** Members beside them that do not vote; default none. */
  readonly observers?: number
  /** Default: ZABRA_SEED of the environment, else 1, so that a test is the same every time. */
  readonly seed?: number
  /**
   * `auto`: time passes whenever the test waits. `manual`: only inside `advance`, `until` and the
   * waits of the ensemble; a call then waits for ever unless one of those runs beside it.
   */
  readonly time?: 'auto' | 'manual'
  /** The wall clock at the start; default 2026-01-01. */
  readonly startAt?: Date
  /** Told before each event how many whole ms have passed: for fake timers of a test runner. */
  readonly onTime?: (ms: number) => void
  /** Of the members' service. */
  readonly service?: Partial<ServiceSettings>
  /**
   * Where a failure writes the history as a page. Default: a file in the folder for temporary
   * files, which the error names; null: nowhere. Only where there are files, so in no browser.
   */
  readonly reportFile?: string | null
  /** How long to wait for the first leader. */
  readonly signal?: AbortSignal
}
