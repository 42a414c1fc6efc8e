/**
 * ZooKeeper's trace mask (O12): it is kept and told, as tools expect, and changes nothing. What
 * this server logs, its log level decides.
 */
export class TraceMask {
  /** ZooKeeper's default. */
  value = 306n
}
