/** `zabra/testing`: an ensemble in memory, on virtual time, for tests of apps in any runner. */
export { PromiseBroken } from './testing/expectations.ts'
export type { Promised } from './history/judge-history.ts'
export type { Violation } from './history/history-events.ts'
export type { Recording } from './history/recording.ts'
export { forEachSeed, testEnsemble } from './testing/seeds.ts'
export type { TestEnsemble, TestMember, TestNode } from './testing/test-ensemble.ts'
export type { TestEnsembleOptions } from './testing/test-ensemble-options.ts'
export type { SeatedOptions, SeatOptions, TestClientOptions } from './testing/client-seats.ts'
export type { EnsembleClock, TimerHandle } from './testing/ensemble-clock.ts'
export type { EnsembleLog } from './testing/ensemble-log.ts'
export type { ServiceSettings } from './testing/ensemble-parts.ts'
export type {
  ClientFaults,
  Delay,
  EnsembleFaults,
  StorageFailure,
  WaitOptions,
} from './testing/ensemble-faults.ts'
