/** A test that waits for more than virtual time gives would wait for ever: it should know why. */
import { warn } from './platform-warning.ts'

const TEXT =
  'zabra/testing: time stands still after a quarter of an hour that no advance() or until() ' +
  'asked for; close the ensemble, or ask for the time that the test needs'

export function warnOfLifeEnd(seed: number): void {
  warn(`${TEXT} (seed ${seed})`)
}
