/** zabra in a page: be a machine of a room, and use the ensemble as a ZooKeeper client. */
export { MemberTab } from './browser/member-tab.ts'
export type { MemberTabOptions } from './browser/member-tab.ts'
export { ZooKeeperClient } from './client/zookeeper-client.ts'
export { ZooKeeperError } from './client/errors.ts'
export { formatRoomLink, parseRoomLink } from './signaling/room-link.ts'
export type { RoomLink } from './signaling/room-link.ts'
