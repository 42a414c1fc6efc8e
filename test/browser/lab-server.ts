// The site of a network lab: inside its switch, where the machines reach it. Ends with its input.
import { fileURLToPath } from 'node:url'
import { startServer } from '../../src/edge/serve.ts'

const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

const server = await startServer({ host: process.argv[2] ?? '', port: 0, staticDir: DIST })
console.log(String(server.port))
process.stdin.resume().once('end', () => process.exit(0))
