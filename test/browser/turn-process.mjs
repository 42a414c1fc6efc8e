// A TURN server in a process of its own: node-turn never closes the sockets of its allocations, and
// throws when something still comes in on one. Prints its port; ends with its parent.
import { createSocket } from 'node:dgram'
import process from 'node:process'
import Turn from 'node-turn'

const [host, username, password] = process.argv.slice(2)
const probe = createSocket('udp4')
probe.bind(0, host, () => {
  const { port } = probe.address()
  probe.close(() => {
    const server = new Turn({
      listeningPort: port,
      listeningIps: [host],
      relayIps: [host],
      // Below the system's own range for clients on Linux (32768 and up).
      minPort: 20_000,
      maxPort: 30_000,
      authMech: 'long-term',
      credentials: { [username]: password },
      debugLevel: 'OFF',
    })
    server.start()
    process.stdout.write(`${port}\n`)
  })
})
process.stdin.on('end', () => process.exit(0)).resume()
