/**
 * A run of the simulator as a recording: clients' bytes as any client's, the log from its end. For
 * reports, and to see that who judges afterwards finds what who listens finds.
 */
import { ClientRecorder } from '../../src/history/client-recorder.ts'
import {
  RECORDING_FORMAT,
  type RecordedEvent,
  type RecordedFault,
  type RecordedRole,
  type Recording,
} from '../../src/history/recording.ts'
import { roleOfTrace } from '../../src/history/traced-role.ts'
import type { World } from './world.ts'

export class SimRecording {
  readonly #world: World
  readonly #events: RecordedEvent[] = []
  readonly #log: Uint8Array[] = []
  readonly #roles: RecordedRole[] = []
  readonly #faults: RecordedFault[] = []

  /** Before the world begins. */
  constructor(world: World) {
    this.#world = world
    world.makeRecorder = (client) => {
      return new ClientRecorder(client, (event) => this.#events.push(event))
    }
    const { probe } = world
    probe.on('committed', ({ entry }) => this.#log.push(entry))
    probe.on('trace', ({ host, event }) => {
      const role = roleOfTrace(host.sid, world.nowMs, event)
      if (role !== null) this.#roles.push(role)
    })
    probe.on('stopped', ({ host }) => {
      this.#roles.push({ atMs: world.nowMs, sid: host.sid, role: 'down' })
    })
    probe.on('fault', (fault) => this.#faults.push({ atMs: world.nowMs, ...fault }))
  }

  /** As of now. */
  finish(title: string): Recording {
    const members = this.#world.hosts.flatMap(({ sid, tree, view }) => {
      // Who lost its disk is no member any more.
      return tree === null || !view.isFounded
        ? []
        : [{ sid, zxid: tree.lastProcessed, digest: tree.digest }]
    })
    return {
      format: RECORDING_FORMAT,
      title,
      clockUncertaintyMs: 0,
      events: this.#events,
      log: this.#log,
      ...(this.#world.origin === null ? {} : { before: this.#world.origin.tree }),
      roles: this.#roles,
      faults: this.#faults,
      members,
    }
  }
}
