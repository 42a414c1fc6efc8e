/** Finds who allocates as much as a length in bad bytes says. */

/** No input of a run is a hundredth of that. */
const ALLOCATION_BYTES_MAX = 16 * 1024 * 1024

export class AllocationError extends Error {
  constructor(bytes: number) {
    super(`${bytes} bytes were to be allocated for a few bad ones`)
    this.name = 'AllocationError'
  }
}

/** While `run` runs, long arrays cannot be made. */
export async function withAllocationLimit<T>(run: () => T | Promise<T>): Promise<T> {
  const { Uint8Array: real } = globalThis
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, args: unknown[], newTarget) {
      const [length] = args
      if (typeof length === 'number' && length > ALLOCATION_BYTES_MAX) {
        throw new AllocationError(length)
      }
      // The class itself makes what `slice` and `subarray` make of it, without asking us again.
      const made: unknown = Reflect.construct(
        target,
        args,
        newTarget === globalThis.Uint8Array ? target : newTarget,
      )
      return made as Uint8Array
    },
  })
  try {
    return await run()
  } finally {
    globalThis.Uint8Array = real
  }
}
