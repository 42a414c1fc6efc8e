/** Clients that go, sleep, are cut, move, or all come at once. */
import type { Scene } from './fault.ts'

const STORM_ROUNDS = 3
const STORM_GAP_MS = 400

export function cutClient({ world, prng, note }: Scene): void {
  const client = prng.pick(world.clients)
  if (client.isConnected) note(`client ${client.number} is cut`, [])
  client.cut()
}

/** The page is gone; its session ends by itself. */
export function crashClient({ world, prng, note }: Scene): void {
  const client = prng.pick(world.clients)
  note(`client ${client.number} crashes`, [])
  client.abandon()
}

export function sleepClient({ world, prng, note }: Scene): void {
  const client = prng.pick(world.clients)
  const forMs = prng.next() * 2.5 * client.timeoutMs
  note(`client ${client.number} sleeps`, [], forMs)
  client.sleep(forMs)
}

/** To another member, at once; the one before may hear of it late or never. */
export function moveClient({ world, prng, note }: Scene): void {
  const client = prng.pick(world.clients)
  if (client.isConnected) note(`client ${client.number} moves`, [])
  client.move()
}

/** All of them lose their connections, again and again. */
export function reconnectStorm({ world, tell, note }: Scene): void {
  const isAny = world.clients.some((client) => client.isConnected)
  const noted = isAny ? note : tell
  noted('all clients are cut', [], STORM_ROUNDS * STORM_GAP_MS)
  for (let round = 0; round < STORM_ROUNDS; round++) {
    world.timeline.after(round * STORM_GAP_MS, () => {
      for (const client of world.clients) client.cut()
    })
  }
}
