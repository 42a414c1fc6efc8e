/**
 * How watch events reach connections. The one place where the order of event and reply is decided.
 */
import type { EventType } from '../jute/event-type.ts'
import type { JuteWriter } from '../jute/writer.ts'
import type { WatchSink } from '../tree/watch-manager.ts'
import type { ConnectionId } from './effect.ts'
import { EventEncoder } from './final-request.ts'

/** Queues a copy of the payload on a connection, behind everything queued before. */
export type SendTo = (connection: ConnectionId, payload: JuteWriter) => void

export interface EventDelivery extends WatchSink {
  /** The transaction is applied and its reply is queued. */
  settled(): void
}

/**
 * The rule (N19): an event is queued at once, while the transaction is applied, hence before every
 * reply that shows the change. Tests plant the fault by another EventDelivery.
 */
export class EventsFirst implements EventDelivery {
  readonly #send: SendTo
  readonly #encoder = new EventEncoder()

  constructor(send: SendTo) {
    this.#send = send
  }

  event(watcher: number, type: EventType, path: string, zxid: bigint): void {
    this.#send(watcher, this.#encoder.encode(type, path, zxid))
  }

  settled(): void {}
}

export type MakeEventDelivery = (send: SendTo) => EventDelivery

export const eventsFirst: MakeEventDelivery = (send) => new EventsFirst(send)
