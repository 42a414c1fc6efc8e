/** How a client reaches members. Messages are whole length-prefixed frames, one or more each. */

export interface ClientHost {
  /** Stable name of the member, unique in the list. */
  readonly id: string
  /** For people. */
  readonly label: string
  /** The member of the own tab: tried first. */
  readonly isLocal: boolean
}

/** How eagerly to come back after a loss. */
export interface ReconnectPace {
  /** Upper bound of the random delay before every attempt but the first, in ms. */
  readonly reconnectDelayMaxMs: number
  /** After everybody was tried in vain, in ms. */
  readonly roundPauseMs: number
}

export interface ClientTransport {
  /** What suits this kind of ways; ZooKeeper's numbers (S29) if it says nothing. */
  readonly pace?: ReconnectPace
  /** Who can be tried now. Asked again before each attempt; may be empty for a while. */
  hosts(): readonly ClientHost[]
  /** Rejects when there is no way to the host, or with the signal's reason. */
  connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection>
  /** Asks a server whether it writes, where a message is no way to ask it (see ReadWriteSearch). */
  isReadWrite?(host: ClientHost, signal: AbortSignal): Promise<boolean>
}

/**
 * One connection. The caller sets the three handlers in the task in which `connect` resolved;
 * no message comes before.
 */
export interface ClientConnection {
  /** Takes the bytes over: the caller must not touch them again. Never blocks. */
  send(bytes: Uint8Array): void
  onMessage: (bytes: Uint8Array) => void
  /** Exactly once, unless `close` was called. */
  onClose: (reason: string) => void
  /** A heartbeat from a place where timers are not throttled; never called where there is none. */
  onTick: () => void
  close(reason: string): void
}
