/** Why a room cannot be joined, or is over. The message is a sentence for people. */
export type RoomErrorCode =
  /** Not a page, or a page without what a room needs. */
  | 'unsupported'
  /** An option or the link's address is wrong. */
  | 'bad-option'
  /** The worker or the storage of this tab did not start, or broke later. */
  | 'failed'
  | 'timeout'
  /** `close` was called, or the page was left. */
  | 'closed'
  /** `crash` was called. */
  | 'crashed'

export class RoomError extends Error {
  readonly code: RoomErrorCode

  constructor(code: RoomErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RoomError'
    this.code = code
  }
}
