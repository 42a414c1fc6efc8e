/** `zabra/client`: ZooKeeper's handle for any place that can reach a member, pages or not. */
export {
  InvalidPathError,
  isOutcomeUnknown,
  isZooKeeperError,
  ZooKeeperError,
} from './client/errors.ts'
export type { ZooKeeperErrorOptions } from './client/errors.ts'
export { ZooKeeperClient } from './client/zookeeper-client.ts'
export type {
  ReadOptions,
  RemoveWatchesOptions,
  ZooKeeperClientOptions,
} from './client/zookeeper-client.ts'
export type { CallOptions } from './client/call.ts'
export type {
  AclAndStat,
  ChildrenAndStat,
  DataAndStat,
  PathAndStat,
  ReadOp,
  ReadResult,
} from './client/operations.ts'
export { MultiError } from './client/transaction.ts'
export type { CreateOptions, Op, OpResult, Transaction, ZnodeData } from './client/transaction.ts'
export type { ClientState } from './client/session-protocol.ts'
export type { WatchedEvent, Watcher } from './client/watched-event.ts'
export type { WatchStream, WatchStreamKind, WatchStreamOptions } from './client/watch-stream.ts'
export { retry } from './client/retry.ts'
export type { RetryOptions } from './client/retry.ts'

// Ways to members: one of the package, and what it takes to write another.
export { PortTransport } from './client/port-transport.ts'
export type { PortMessage, PortTarget, PortTransportOptions } from './client/port-transport.ts'
export { ReadWriteSearch } from './client/read-write-search.ts'
export type { Ticker } from './client/ticker.ts'
export type {
  ClientConnection,
  ClientHost,
  ClientTransport,
  ReconnectPace,
} from './client/transport.ts'

// The words of the protocol.
export { CreateMode } from './core/jute/create-mode.ts'
export type { Acl, ClientInfo, Id, Stat } from './core/jute/data-records.ts'
export { ErrorCode, errorCodeName } from './core/jute/error-code.ts'
export {
  AddWatchMode,
  EventType,
  eventTypeName,
  KeeperState,
  keeperStateName,
  WatcherType,
} from './core/jute/event-type.ts'
export {
  ANYONE_ID_UNSAFE,
  AUTH_IDS,
  CREATOR_ALL_ACL,
  OPEN_ACL_UNSAFE,
  Perms,
  READ_ACL_UNSAFE,
} from './core/jute/perms.ts'
