/** What administration needs of a server; tests give it one without sockets. */
import type { Handshakes } from '../../adapters/tcp/tls-side.ts'
import type { MemberStatus } from '../../core/server/member-machine.ts'
import type { RestoreOutcome } from '../restore-state.ts'
import type { ZooKeeperServer } from '../../core/server/zookeeper-server.ts'

export interface AdministeredServer {
  /** Makes a backup the state of the ensemble (P26); absent: this server cannot. */
  readonly restore?: (chunks: readonly Uint8Array[]) => Promise<RestoreOutcome>

  /** As bound; null: it has none. */
  readonly clientPort: number | null
  /** Absent, too: it has none. */
  readonly secureClientPort?: number | null
  /** Absent: there is no TLS. */
  readonly handshakes?: Handshakes
  status(): MemberStatus
  /** Its state, to be read only. */
  readonly server: Pick<
    ZooKeeperServer,
    'tree' | 'connections' | 'localSessions' | 'remainingMs' | 'beginSnapshot' | 'witness'
  >
}
