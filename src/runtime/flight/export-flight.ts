/** From a running member's recorder to a file, without holding up the member for long. */
import { flightBytes, type FlightFile } from './flight-file.ts'
import type { Flight } from './flight-recorder.ts'
import { FlightMask } from './mask-flight.ts'

export interface ExportOptions {
  /** Keep what applications stored; the ensemble's secret and session passwords never are. */
  readonly payloads: boolean
  /** Of this export only: makes masked payloads impossible to guess. */
  readonly salt: Uint8Array
  /** Lets others run; between any two segments. */
  readonly pause: () => Promise<void>
}

/** The gzipped file. `flight` is used up: its segments are masked in place. */
export async function exportFlight(flight: Flight, options: ExportOptions): Promise<Uint8Array> {
  const file = options.payloads ? { ...flight, hasPayloads: true } : await masked(flight, options)
  return gzip(flightBytes(file))
}

async function masked(flight: Flight, { salt, pause }: ExportOptions): Promise<FlightFile> {
  const { start, startedAt, segments, config } = flight
  const mask = new FlightMask(salt)
  for (const segment of segments) {
    mask.learn(segment, startedAt)
    await pause()
  }
  for (const segment of segments) {
    mask.apply(segment, startedAt)
    await pause()
  }
  mask.finish()
  const recovered = start === null ? null : mask.recovered(start.recovered)
  return {
    ...flight,
    config: mask.config(config),
    start: start === null || recovered === null ? null : { ...start, recovered },
    hasPayloads: false,
  }
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}
