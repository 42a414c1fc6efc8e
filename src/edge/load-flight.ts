/** A recording from its file, and what there is to say about one. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { FlightFormatError } from '../runtime/flight/flight-bytes.ts'
import { readFlight, type FlightFile } from '../runtime/flight/flight-file.ts'
import type { ReplayResult } from './replay-flight.ts'

/** Unpacked; ours: twice what a recorder keeps, ring and start. */
const FLIGHT_BYTES_MAX = 96 * 1024 * 1024

/** Throws FlightFormatError for what is no recording, and the system's error for no file. */
export async function loadFlight(path: string): Promise<FlightFile> {
  return readFlight(await unpacked(path))
}

async function unpacked(path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    await pipeline(createReadStream(path), createGunzip(), async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
        length += chunk.length
        if (length > FLIGHT_BYTES_MAX) throw new FlightFormatError('the recording is too long')
        parts.push(chunk)
      }
    })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code.startsWith('Z_')) throw new FlightFormatError('this is no flight recording: no gzip')
    throw error
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** What the recording is of, in one line. */
export function flightTitle({
  config,
  startedAt,
  hasPayloads,
  firstStep,
  steps,
}: FlightFile): string {
  const since = new Date(startedAt.wallMs).toISOString()
  const data = hasPayloads ? 'with' : 'without'
  const of = `machine ${config.sid} of ${config.voters.length}`
  return `${of}, started ${since}, steps ${firstStep} to ${steps - 1}, ${data} data`
}

export function verdictWords(result: ReplayResult): string {
  switch (result.kind) {
    case 'same':
      return result.exact
        ? `replayed ${result.steps} steps: bit for bit the same`
        : `replayed ${result.steps} steps: the same but for data, which this recording has not`
    case 'unchecked': {
      const why =
        result.lost === 0
          ? 'What its storage held at the start was too much to keep'
          : `The ${result.lost} before them are lost, and with them the beginning`
      return `read ${result.steps} steps. ${why}: they cannot be run again`
    }
    case 'different': {
      const { number, input } = result.step
      const what = input === null ? 'the start' : `step ${number} (${input.kind})`
      return `DIFFERENT in ${what}: the machine ${result.what}`
    }
  }
}
