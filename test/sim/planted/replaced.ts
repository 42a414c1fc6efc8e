/**
 * A method of the core, replaced from outside while a run goes on: how a mistake is planted where
 * the core keeps no seam for one.
 */

/** Puts the true code back. */
export type Remove = () => void

/** `make` gets the true method, to be called with the `this` of the call. */
export function instead<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): Remove {
  const original = prototype[name]
  prototype[name] = make(original)
  return () => {
    prototype[name] = original
  }
}

/** Several at once. */
export function all(...removes: readonly Remove[]): Remove {
  return () => {
    for (const remove of [...removes].reverse()) remove()
  }
}
