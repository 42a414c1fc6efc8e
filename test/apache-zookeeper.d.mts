/** Resolves to the path of Apache ZooKeeper's jar; rejects when there is none to be had. */
export function findApacheZooKeeper(): Promise<string>
