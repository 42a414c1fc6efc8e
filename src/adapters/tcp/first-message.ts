/** What a connection between servers says first: who it is. Bounded in time and bytes. */
import type { Socket } from 'node:net'
import { concat, EMPTY_BYTES } from '../../core/base/bytes.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import { initialMessageRecord } from '../../core/jute/election-records.ts'
import { decode } from '../../core/jute/record.ts'
import { ADDRESS_BYTES_MAX, HANDSHAKE_MS } from './quorum-limits.ts'

export interface FirstMessage<T> {
  readonly value: T
  /** How many bytes it had. */
  readonly length: number
}

/** null: not whole yet. Throws JuteError for what it is not. */
export type ParseFirst<T> = (bytes: Uint8Array) => FirstMessage<T> | null

/**
 * Calls back exactly once: with the message and the bytes behind it, the socket paused and without
 * listeners of ours but the one for errors; or, destroyed, with what was wrong.
 */
export function readFirst<T>(
  socket: Socket,
  parse: ParseFirst<T>,
  onDone: (value: T, rest: Uint8Array) => void,
  onFailed: (reason: string) => void,
): void {
  let held = EMPTY_BYTES
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('data', onData)
    socket.off('close', onClose)
  }
  const fail = (reason: string): void => {
    stop()
    socket.destroy()
    onFailed(reason)
  }
  const onClose = (): void => fail('closed before it said who it is')
  const onData = (chunk: Uint8Array): void => {
    held = concat([held, chunk])
    let first: FirstMessage<T> | null
    try {
      first = parse(held)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      fail(error.message)
      return
    }
    if (first === null) return
    stop()
    socket.pause()
    onDone(first.value, held.subarray(first.length))
  }
  const timer = setTimeout(() => fail(`silent for ${HANDSHAKE_MS} ms`), HANDSHAKE_MS)
  socket.on('data', onData)
  socket.on('close', onClose)
  // Else it would end the process; what it means, 'close' tells.
  socket.on('error', () => undefined)
}

const VERSION_BYTES = 8
/** protocol version i64 · server id i64 · length of the addresses i32 */
const HEAD_BYTES = 20

/** The server id of an election connection (Q21). Before 3.5 it stood alone. */
export function parseInitialMessage(bytes: Uint8Array): FirstMessage<bigint> | null {
  if (bytes.length < VERSION_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getBigInt64(0)
  if (version >= 0n) return { value: version, length: VERSION_BYTES }
  if (bytes.length < HEAD_BYTES) return null
  const addressBytes = view.getInt32(HEAD_BYTES - 4)
  if (addressBytes <= 0 || addressBytes > ADDRESS_BYTES_MAX) {
    throw new JuteError(`addresses of ${addressBytes} bytes`)
  }
  const length = HEAD_BYTES + addressBytes
  if (bytes.length < length) return null
  const { sid } = decode(initialMessageRecord, bytes.subarray(0, length))
  return { value: sid, length }
}
