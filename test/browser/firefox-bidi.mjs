#!/usr/bin/env node
// Firefox as Playwright starts it, with the part of WebDriver BiDi that both of them know. Today's
// Playwright overrides media features when it opens a context, whether or not a test asks for that,
// and gives up when Firefox has no such command; Debian's long-term Firefox has none. So this
// program stands between them: a command of emulation that Firefox does not know counts as done.
// Everything else passes unchanged. ZABRA_FIREFOX names the real Firefox.
import { spawn } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { WebSocket, WebSocketServer } from 'ws'

const LISTENING = /^WebDriver BiDi listening on ws:\/\/127\.0\.0\.1:(\d+)$/

const firefox = spawn(process.env['ZABRA_FIREFOX'] ?? 'firefox', process.argv.slice(2), {
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
  else relay(Number(port))
})

/** Says on which port it listens in Firefox's own words: Playwright reads them. */
function relay(firefoxPort) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (driver, request) => {
    const browser = new WebSocket(`ws://127.0.0.1:${firefoxPort}${request.url}`)
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
