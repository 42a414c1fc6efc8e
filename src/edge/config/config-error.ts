/** A configuration that no server can run with, in a sentence that says what to do about it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
