/** `npm run signal`: the signaling server alone. */

import { SIGNAL_PATH } from '../signaling/protocol.ts'
import { startServer, StartError } from './serve.ts'

const PORT_DEFAULT = 4180
const USAGE = `usage: npm run signal -- [--port N] [--host ADDRESS]

  --port N        port to listen on; else PORT, else ${PORT_DEFAULT}
  --host ADDRESS  address to listen on; else HOST, else 127.0.0.1
`

interface Settings {
  readonly port: number
  readonly host: string
}

/** null after a wrong option. */
function parseSettings(args: readonly string[]): Settings | null {
  let port = process.env['PORT'] ?? String(PORT_DEFAULT)
  let host = process.env['HOST'] ?? '127.0.0.1'
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1]
    if (value === undefined) return null
    if (args[i] === '--port') port = value
    else if (args[i] === '--host') host = value
    else return null
  }
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65535
  return valid ? { port: Number(port), host } : null
}

async function main(): Promise<number> {
  const settings = parseSettings(process.argv.slice(2))
  if (settings === null) {
    console.error(USAGE)
    return 2
  }
  try {
    const server = await startServer(settings)
    console.log(`signaling on ws://${server.host}:${server.port}${SIGNAL_PATH}`)
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    await server.close()
    return 0
  } catch (error) {
    console.error(error instanceof StartError ? error.message : error)
    return 1
  }
}

process.exitCode = await main()
