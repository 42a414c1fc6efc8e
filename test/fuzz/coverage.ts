/** Which places of our code have run: V8's own counters, through the inspector of this process. */
import { Session, type Profiler } from 'node:inspector'

const OURS = '/src/'

export class Coverage implements Disposable {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    this.#take()
  }

  /** Places that have run at least once since the beginning. */
  get reached(): number {
    return this.#seen.size
  }

  /** Of the places that ran since the last call, those that had never run before. */
  fresh(): string[] {
    const fresh = this.#take().filter((place) => !this.#seen.has(place))
    for (const place of fresh) this.#seen.add(place)
    return fresh
  }

  /** All places that ran since the last call. */
  ran(): string[] {
    return this.#take()
  }

  [Symbol.dispose](): void {
    this.#session.disconnect()
  }

  /** In the same process the answer comes before `post` returns. */
  #take(): string[] {
    const places: string[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error
      for (const { url, scriptId, functions } of taken.result) {
        if (url.includes(OURS)) addPlaces(places, scriptId, functions)
      }
    })
    return places
  }
}

function addPlaces(
  places: string[],
  script: string,
  functions: readonly Profiler.FunctionCoverage[],
): void {
  for (const { ranges } of functions) {
    for (const { count, startOffset, endOffset } of ranges) {
      if (count > 0) places.push(`${script}:${startOffset}-${endOffset}`)
    }
  }
}
