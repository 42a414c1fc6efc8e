/** Malformed or oversized wire data: all that decoders and framing throw, whatever the bytes. */
export class JuteError extends Error {
  override readonly name: string = 'JuteError'
}
