/** Every kind of fault, and what does it; how often it occurs is drawn. */
import { crashClient, cutClient, moveClient, reconnectStorm, sleepClient } from './client-faults.ts'
import { diskFails, diskFull, rollBack, rot, slowDisk, tear, wipe } from './disk-faults.ts'
import type { FaultKind } from '../draw.ts'
import type { Fault } from './fault.ts'
import {
  deadLink,
  duplicateLink,
  hint,
  isolate,
  onePair,
  oneWay,
  partition,
  resetLink,
  tangle,
} from './network-faults.ts'
import {
  crash,
  crashAll,
  crashAtEffect,
  crashAtWrite,
  pause,
  suspend,
  throttle,
  wallJump,
} from './process-faults.ts'

export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  crash,
  'crash-at-effect': crashAtEffect,
  'crash-at-write': crashAtWrite,
  'crash-all': crashAll,
  pause,
  suspend,
  throttle,
  'wall-jump': wallJump,
  partition,
  isolate,
  tangle,
  'one-way': oneWay,
  'one-pair': onePair,
  'dead-link': deadLink,
  'reset-link': resetLink,
  'duplicate-link': duplicateLink,
  hint,
  'slow-disk': slowDisk,
  'disk-fails': diskFails,
  'disk-full': diskFull,
  tear,
  rot,
  wipe,
  'roll-back': rollBack,
  'cut-client': cutClient,
  'crash-client': crashClient,
  'sleep-client': sleepClient,
  'move-client': moveClient,
  'reconnect-storm': reconnectStorm,
}
