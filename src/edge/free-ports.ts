/** Ports for servers that are started a moment later, maybe by another process. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the ranges that systems take the ports of outgoing connections from (Linux 32768, IANA
 * 49152): one of those may be gone as soon as it was found free.
 */
export const PORTS: PortRange = { first: 10_000, last: 32_767 }
/** Per port; with all of them taken it ends too. */
const TRIES = 200

export interface PortRange {
  readonly first: number
  readonly last: number
}

/** Different ones, all free a moment ago at `host`. */
export async function freePorts(
  count: number,
  host: string = '127.0.0.1',
  { first, last }: PortRange = PORTS,
): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > TRIES * count) throw new Error(`no ${count} free ports at ${host}`)
    const port = randomInt(first, last + 1)
    if (!ports.has(port) && (await isFree(port, host))) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
