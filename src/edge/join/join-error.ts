/** Why this process cannot be a machine of the room. The message is a sentence for people. */
export class JoinError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'JoinError'
  }
}
