import type { ClientStatus } from '../src/browser/client-tab.ts'
import type { Room } from '../src/browser/room.ts'
import type { ZooKeeperClient } from '../src/client/zookeeper-client.ts'
import type { WorkerStatus } from '../worker/protocol.ts'

declare global {
  interface Window {
    /** For the page's tests and for people at the console of a machine page. */
    zabra?: {
      readonly status: () => WorkerStatus | null
      readonly traces: readonly unknown[]
      /** The file of the button "Download flight recording". */
      readonly flightRecording: (payloads?: boolean) => Promise<Blob | null>
      /** Another part of this page in the same room: a client only, with links of its own. */
      readonly joinAsClient: () => Promise<Room<ClientStatus>>
      /** A client of its own session, this tab's machine first. */
      readonly newClient: (sessionTimeoutMs?: number) => ZooKeeperClient
      readonly explain: Room['explain']
      readonly examine: Room['examine']
    }
  }
}
