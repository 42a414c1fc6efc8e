// `npm start` as a person meets it: which port, which words. It builds the pages when they are old.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:https'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'

const START = fileURLToPath(new URL('../../demo/start.mjs', import.meta.url))
const BUILD_TIMEOUT_MS = 120_000

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** Starts it, and resolves when it ended or printed its link. */
function start(
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [START, ...args], { env: { ...process.env, ...env } })
  open.push(() => child.kill())
  let output = ''
  return new Promise((resolve) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      if (output.includes('Ctrl+C')) resolve({ code: null, output })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Takes a port as another program would; undefined when one has it already. */
async function take(port: number, host = '127.0.0.1'): Promise<Server | undefined> {
  const server = createServer().listen(port, host)
  const taken = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ])
  if (!taken) return undefined
  open.push(() => server.close())
  return server
}

describe('npm start', () => {
  test.each(['abc', '70000', '-1', '80.5'])('PORT=%s is refused at once', async (PORT) => {
    const { code, output } = await start({ PORT })
    expect(output).toContain(`PORT is '${PORT}', which is no port number`)
    expect(code).toBe(1)
  })

  test(
    'a port that was named and is taken ends it, with advice',
    { timeout: BUILD_TIMEOUT_MS },
    async () => {
      const server = await take(0)
      const { port } = server?.address() as AddressInfo
      const { code, output } = await start({ PORT: String(port) })
      expect(output).toContain(`port ${port} is taken by another program`)
      expect(output).toContain('PORT=')
      expect(code).toBe(1)
    },
  )

  test(
    'the usual port taken: the next free one, and it says so',
    { timeout: BUILD_TIMEOUT_MS },
    async () => {
      await take(4173)
      const { code, output } = await start({ PORT: '' })
      expect(code).toBeNull()
      const port = /Port 4173 is taken, so this is port (\d+)\./.exec(output)?.[1] ?? 'not said'
      expect(output).toContain(`http://localhost:${port}/`)
      for (const path of ['', 'machine.html']) {
        const response = await fetch(`http://localhost:${port}/${path}`)
        expect(response.status).toBe(200)
        expect(await response.text()).toContain('<html')
      }
    },
  )

  test(
    '--tls: https, and the browser is told apart by a fingerprint',
    { timeout: BUILD_TIMEOUT_MS },
    async () => {
      // On this machine only: a test opens nothing to the network.
      const { code, output } = await start({ PORT: '0' }, ['--tls', '--host', '127.0.0.1'])
      expect(code).toBeNull()
      const link = /zabra is at (https:\/\/localhost:\d+\/)/.exec(output)?.[1] ?? 'not said'
      const fingerprint = /([0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(output)?.[0]
      const served = await new Promise<string>((resolve, reject) => {
        const request = get(link, { rejectUnauthorized: false }, (response) => {
          resolve((response.socket as TLSSocket).getPeerCertificate().fingerprint256)
          response.destroy()
        })
        request.on('error', reject)
      })
      expect(served).toBe(fingerprint)
    },
  )
})
