/** Watch events, connection states and the numbers of watch operations (W65, W66, W69). */

/** 5–7 are made by the client and never sent by a server. */
export const EventType = {
  None: -1,
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
  DataWatchRemoved: 5,
  ChildWatchRemoved: 6,
  PersistentWatchRemoved: 7,
} as const

export type EventType = (typeof EventType)[keyof typeof EventType]

/** Only SyncConnected occurs in a watch event on the wire. */
export const KeeperState = {
  Disconnected: 0,
  SyncConnected: 3,
  AuthFailed: 4,
  ConnectedReadOnly: 5,
  SaslAuthenticated: 6,
  Closed: 7,
  Expired: -112,
} as const

export type KeeperState = (typeof KeeperState)[keyof typeof KeeperState]

/** Argument of checkWatches and removeWatches. */
export const WatcherType = {
  Children: 1,
  Data: 2,
  Any: 3,
  Persistent: 4,
  PersistentRecursive: 5,
} as const

export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType]

/** Argument of addWatch. */
export const AddWatchMode = {
  PERSISTENT: 0,
  PERSISTENT_RECURSIVE: 1,
} as const

export type AddWatchMode = (typeof AddWatchMode)[keyof typeof AddWatchMode]

const EVENT_TYPE_NAMES: ReadonlyMap<number, keyof typeof EventType> =
  /* @__PURE__ */ namesOf(EventType)
const KEEPER_STATE_NAMES: ReadonlyMap<number, keyof typeof KeeperState> =
  /* @__PURE__ */ namesOf(KeeperState)
const WATCHER_TYPES: ReadonlyMap<number, string> = /* @__PURE__ */ namesOf(WatcherType)
const ADD_WATCH_MODES: ReadonlyMap<number, string> = /* @__PURE__ */ namesOf(AddWatchMode)

export function eventTypeName(type: number): string {
  return EVENT_TYPE_NAMES.get(type) ?? `unknown ${type}`
}

export function keeperStateName(state: number): string {
  return KEEPER_STATE_NAMES.get(state) ?? `unknown ${state}`
}

export function isWatcherType(type: number): type is WatcherType {
  return WATCHER_TYPES.has(type)
}

export function isAddWatchMode(mode: number): mode is AddWatchMode {
  return ADD_WATCH_MODES.has(mode)
}

function namesOf<K extends string>(numbers: Readonly<Record<K, number>>): Map<number, K> {
  const names = new Map<number, K>()
  for (const name of Object.keys(numbers) as K[]) names.set(numbers[name], name)
  return names
}
