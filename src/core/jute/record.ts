/** A Jute record type: its fields in wire order, written and read by straight-line code. */

import { JuteError } from './jute-error.ts'
import { JuteReader, type JuteLimits } from './reader.ts'
import { writeBytes, type JuteWriter } from './writer.ts'

/** The reading half: a decoder of a narrower type is one of a wider type too. */
export interface JuteDecoder<out T> {
  /** The record's name in zookeeper.jute. */
  readonly name: string
  readonly read: (r: JuteReader) => T
}

export interface JuteRecord<T> extends JuteDecoder<T> {
  readonly write: (w: JuteWriter, v: T) => void
}

export interface DecodeOptions {
  /** Bytes may follow the record. Off: they are malformed input. */
  readonly allowTrailing?: boolean
  readonly limits?: JuteLimits
}

export function encode<T>(record: JuteRecord<T>, v: T): Uint8Array {
  return writeBytes((w) => record.write(w, v))
}

/** The same with the writing half alone: what only writes a record need not carry its reader. */
export function encodeWith<T>(write: (w: JuteWriter, v: T) => void, v: T): Uint8Array {
  return writeBytes((w) => write(w, v))
}

/** Buffers inside the result are views of `bytes`. */
export function decode<T>(record: JuteDecoder<T>, bytes: Uint8Array, options?: DecodeOptions): T {
  const r = new JuteReader(bytes, options?.limits)
  const v = record.read(r)
  if (!r.atEnd && options?.allowTrailing !== true) {
    throw new JuteError(`${r.remaining} bytes after ${record.name}`)
  }
  return v
}
