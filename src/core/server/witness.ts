/**
 * Who counts what goes on inside a server, for an administrator's figures (O20–O25): by ZooKeeper's
 * names, and never needed to serve. A tab has none and pays a comparison.
 */
import type { ProposalWitness } from '../zab/replica.ts'

/** Told one by one. */
export type CountedName =
  | 'large_requests_rejected'
  | 'request_throttle_wait_count'
  | 'revalidate_count'
  | 'stale_replies'
  | 'stale_requests_dropped'
  | 'throttled_ops'
  | 'ttl_node_created_count'
  | 'ttl_node_deleted_count'

/** Told with a value; of some only the newest counts. */
export type MeasuredName =
  | 'connection_drop_probability'
  | 'connection_token_deficit'
  | 'pending_syncs'
  | 'request_throttle_queue_time_ms'

/** Told with the path that it is about. */
export type PathName =
  'quota_exceeded_error_per_namespace' | 'read_per_namespace' | 'write_per_namespace'

export interface ServerWitness extends ProposalWitness {
  count(what: CountedName): void
  measure(what: MeasuredName, value: number): void
  /** `amount`: bytes, or 1. */
  concerning(what: PathName, path: string, amount: number): void
}
