#!/usr/bin/env node
// Firefox as Playwright starts it, with the part of WebDriver BiDi that both of them know. Today's
// Playwright overrides media features when it opens a context, whether or not a test asks for that,
// and gives up when Firefox has no such command; Debian's long-term Firefox has none. So this
// program stands between them: a command of emulation that Firefox does not know counts as done.
// Everything else passes unchanged. ZABRA_FIREFOX names the real Firefox, ZABRA_FIREFOX_INSIDE what
// starts a program where it shall run (a JSON list): in a network with a loopback of its own.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { WebSocket, WebSocketServer } from 'ws'

const LISTENING = /^WebDriver BiDi listening on ws:\/\/127\.0\.0\.1:(\d+)$/

/** Its arguments are a port; what it reads goes there, what comes from there it writes. */
const PASS_ON = `const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1')
process.stdin.pipe(socket).pipe(process.stdout)`

const inside = JSON.parse(process.env['ZABRA_FIREFOX_INSIDE'] ?? '[]')
const [program, ...args] = [...inside, process.env['ZABRA_FIREFOX'] ?? 'firefox']
const firefox = spawn(program, [...args, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'pipe'],
})
firefox.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
firefox.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => firefox.kill(signal))
}
createInterface({ input: firefox.stderr }).on('line', (line) => {
  const port = LISTENING.exec(line)?.[1]
  if (port === undefined) console.error(line)
  else if (inside.length === 0) relay(Number(port), Number(port))
  else tunnel(Number(port), (near) => relay(near, Number(port)))
})

/** From a port of this network to one of Firefox's. */
function tunnel(firefoxPort, use) {
  const server = createServer((near) => {
    const [command, ...before] = [...inside, process.execPath]
    const far = spawn(command, [...before, '-e', PASS_ON, String(firefoxPort)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    for (const stream of [near, far.stdin]) stream.on('error', () => near.destroy())
    near.pipe(far.stdin)
    far.stdout.pipe(near)
    near.on('close', () => far.kill())
  })
  server.listen(0, '127.0.0.1', () => use(server.address().port))
}

/** Says on which port it listens in Firefox's own words: Playwright reads them. */
function relay(port, firefoxPort) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (driver, request) => {
    // It answers who calls it by its own name only.
    const headers = { host: `127.0.0.1:${firefoxPort}` }
    const browser = new WebSocket(`ws://127.0.0.1:${port}${request.url}`, { headers })
    const early = []
    driver.on('message', (data) => {
      if (browser.readyState === WebSocket.OPEN) browser.send(String(data))
      else early.push(String(data))
    })
    browser.on('open', () => early.splice(0).forEach((text) => browser.send(text)))
    browser.on('message', (data) => driver.send(answer(String(data))))
    driver.on('close', () => browser.close())
    browser.on('close', () => driver.close())
    browser.on('error', () => driver.close())
  })
  server.on('listening', () => {
    console.error(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}`)
  })
}

function answer(text) {
  // Events are most of the traffic, and some are large: only what can matter is parsed.
  if (!text.includes('unknown command')) return text
  const { id, error, message } = JSON.parse(text)
  const isMissingEmulation = error === 'unknown command' && /^emulation\./.test(message)
  return isMissingEmulation ? JSON.stringify({ type: 'success', id, result: {} }) : text
}
