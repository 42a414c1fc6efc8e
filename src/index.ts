/** zabra in a page: take part in a room, and use its ensemble as a ZooKeeper client. */
export { createRoom, joinRoom } from './browser/room.ts'
export type { Room } from './browser/room.ts'
export type { ClientStatus } from './browser/client-tab.ts'
export type {
  CreateRoomOptions,
  JoinAsClientOptions,
  JoinRoomOptions,
  OpenClientOptions,
  RoomOptions,
  RoomStatus,
} from './browser/room-options.ts'
export type { Explanation, LinkExplanation, Reason, ReasonCode } from './browser/explanation.ts'
export type { ExplainOptions } from './browser/tab-health.ts'
export type { Examination, ExamineOptions } from './adapters/webrtc/doctor/doctor.ts'
export type { Finding, FindingCode } from './adapters/webrtc/doctor/finding.ts'
export { IceSettingsError } from './adapters/webrtc/ice-settings.ts'
export { RoomError } from './browser/room-error.ts'
export type { RoomErrorCode } from './browser/room-error.ts'
export { formatRoomLink, parseRoomLink, RoomLinkError } from './signaling/room-link.ts'
export type { RoomLink, RoomLinkErrorCode } from './signaling/room-link.ts'

// The most used of `zabra/client`.
export { isZooKeeperError, ZooKeeperError } from './client/errors.ts'
export { ZooKeeperClient } from './client/zookeeper-client.ts'
export { CreateMode } from './core/jute/create-mode.ts'
export { ErrorCode } from './core/jute/error-code.ts'
