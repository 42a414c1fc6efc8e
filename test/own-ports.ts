/**
 * Ports for the servers of one test. Some are bound seconds later, by a JVM that has to start or a
 * member that was stopped: so no other worker of the runner draws from the same ones meanwhile, and
 * none is given twice to one test file.
 */
import { freePorts, PORTS } from '../src/edge/free-ports.ts'

const SHARES = 16
const given = new Set<number>()

export async function ownPorts(count: number): Promise<number[]> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % SHARES
  const each = Math.floor((PORTS.last - PORTS.first + 1) / SHARES)
  const first = PORTS.first + worker * each
  const own: number[] = []
  while (own.length < count) {
    const drawn = await freePorts(count - own.length, undefined, { first, last: first + each - 1 })
    own.push(...drawn.filter((port) => !given.has(port)))
    for (const port of drawn) given.add(port)
  }
  return own
}
