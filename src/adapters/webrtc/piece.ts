/**
 * Messages cut into pieces that every browser can carry, and joined again.
 *
 * A piece is a head of one byte and then bytes of the message: WHOLE is a message of its own; else
 * FIRST starts one, MORE goes on and LAST ends it. A link delivers in order, so nothing else is
 * needed; whatever breaks the grammar breaks the link.
 */

import { concat } from '../../core/base/bytes.ts'
import { LINK_MESSAGE_MAX_BYTES } from '../../ports/link.ts'
import { PIECE_MAX_BYTES } from './limits.ts'

const WHOLE = 1
const FIRST = 2
const MORE = 3
const LAST = 4

const HEAD_BYTES = 1
const BODY_MAX_BYTES = PIECE_MAX_BYTES - HEAD_BYTES

export function cutMessage(message: Uint8Array): Uint8Array[] {
  if (message.length <= BODY_MAX_BYTES) return [makePiece(WHOLE, message)]
  const pieces: Uint8Array[] = []
  for (let at = 0; at < message.length; at += BODY_MAX_BYTES) {
    const end = Math.min(at + BODY_MAX_BYTES, message.length)
    const kind = at === 0 ? FIRST : end === message.length ? LAST : MORE
    pieces.push(makePiece(kind, message.subarray(at, end)))
  }
  return pieces
}

/** Why the link must break. */
export class PieceError extends Error {
  override readonly name: string = 'PieceError'
}

export class PieceJoiner {
  readonly #maxBytes: number
  #parts: Uint8Array[] | null = null
  #bytes = 0

  constructor(maxBytes: number = LINK_MESSAGE_MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** The message that this piece completes, or null. A whole one is a view of the piece. */
  push(piece: Uint8Array): Uint8Array | null {
    const kind = piece[0]
    const body = piece.subarray(HEAD_BYTES)
    const begins = kind === WHOLE || kind === FIRST
    if (!begins && kind !== MORE && kind !== LAST) throw new PieceError('unknown piece')
    if (begins !== (this.#parts === null)) throw new PieceError('piece out of order')
    // Only what has arrived is held, so a short head cannot claim memory.
    if (this.#bytes + body.length > this.#maxBytes) {
      throw new PieceError(`message above ${this.#maxBytes} bytes`)
    }
    if (kind === WHOLE) return body
    const parts = (this.#parts ??= [])
    parts.push(body)
    this.#bytes += body.length
    // An endless run of empty pieces would grow the list without counting.
    if (body.length === 0) throw new PieceError('empty piece')
    if (kind !== LAST) return null
    this.#parts = null
    this.#bytes = 0
    return concat(parts)
  }
}

function makePiece(kind: number, body: Uint8Array): Uint8Array {
  const piece = new Uint8Array(HEAD_BYTES + body.length)
  piece[0] = kind
  piece.set(body, HEAD_BYTES)
  return piece
}
