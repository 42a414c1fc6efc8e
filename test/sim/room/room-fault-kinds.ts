/** The faults of a room that is being founded. */

/** As often as they stand here. */
export const WEIGHED_ROOM_FAULTS = [
  ...(['room-crash', 'room-crash'] as const),
  ...(['room-crash-at-step', 'room-crash-at-step', 'room-crash-at-step'] as const),
  ...(['room-crash-all', 'room-cut', 'room-cut', 'room-pause', 'room-pause'] as const),
  ...(['room-refuse', 'room-away', 'room-wipe'] as const),
] as const

export type RoomFaultKind = (typeof WEIGHED_ROOM_FAULTS)[number]
export const ROOM_FAULT_KINDS: readonly RoomFaultKind[] = [...new Set(WEIGHED_ROOM_FAULTS)]
