/** A test that waits for more than virtual time gives would wait for ever: it should know why. */

const TEXT =
  'zabra/testing: time stands still after a quarter of an hour that no advance() or until() ' +
  'asked for; close the ensemble, or ask for the time that the test needs'

/** As the platform warns; where it has no way to, nobody is told. */
export function warnOfLifeEnd(seed: number): void {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null) return
  const emitWarning: unknown = Reflect.get(process, 'emitWarning')
  if (typeof emitWarning === 'function') {
    Reflect.apply(emitWarning, process, [`${TEXT} (seed ${seed})`])
  }
}
