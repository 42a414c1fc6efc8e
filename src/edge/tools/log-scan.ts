/** A transaction log cut into its pieces, whole and damaged, for who looks at it or mends it. */
import {
  foundAt,
  LOG_HEADER_BYTES,
  nextWhole,
  placedEntry,
  writtenEnd,
} from '../../adapters/files/log-format.ts'

export interface LogPiece {
  /** torn: its write never ended, so nobody was told of it. */
  readonly kind: 'whole' | 'damaged' | 'torn'
  readonly offset: number
  readonly next: number
  /** What the length in front of it says it is; null when that is senseless. */
  readonly entry: Uint8Array | null
}

/** `file` begins with a header that was checked. */
export function scanLog(file: Uint8Array): LogPiece[] {
  const written = writtenEnd(file)
  const pieces: LogPiece[] = []
  for (let offset = LOG_HEADER_BYTES; ;) {
    const piece = pieceAt(file, offset, written)
    if (piece === null) return pieces
    pieces.push(piece)
    offset = piece.next
  }
}

function pieceAt(file: Uint8Array, offset: number, written: number): LogPiece | null {
  const found = foundAt(file, offset, written)
  if (found.kind === 'end') return null
  if (found.kind === 'whole') {
    const { entry } = placedEntry(file, offset, found.next)
    return { kind: 'whole', offset, next: found.next, entry }
  }
  const next = found.kind === 'damaged' ? found.next : null
  const whole = nextWhole(file, offset + 1, written)
  if (next !== null && (whole === null || whole >= next)) {
    return { kind: 'damaged', offset, next, entry: placedEntry(file, offset, next).entry }
  }
  if (whole !== null) return { kind: 'damaged', offset, next: whole, entry: null }
  return { kind: found.kind, offset, next: written, entry: null }
}
