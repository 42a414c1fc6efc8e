// `npm start`: install what is missing, build the pages when a source changed, serve them and the
// signaling server on one port, print one link.
// Until the install is done there is nothing but Node itself, so packages are imported late.
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { buildWhatChanged } from './build.mjs'
import { readIceSettings } from './ice-option.mjs'
import { installWhatIsMissing, requireNode, TOP } from './install.mjs'
import { isEverywhere, isLoopback, linkTo, startOptions, tlsText } from './start-options.mjs'

const PORT_DEFAULT = 4173
/** How many ports after the default one are tried before giving up. */
const PORTS_TRIED_MAX = 100
const OTHER_PORT = 'name another port (PORT=8080 npm start)'
/** Certificate and key of this checkout; ignored by git. */
const TLS_FOLDER = '.tls'

try {
  requireNode()
  const asked = startOptions(process.argv.slice(2), process.env)
  await installWhatIsMissing()
  await buildWhatChanged()
  await serve(asked)
} catch (error) {
  console.error(`zabra did not start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

async function serve({ tls, host, port: asked, ice }) {
  const { register } = await import('tsx/esm/api')
  register()
  const { startServer } = await import('../src/edge/serve.ts')
  const certificate = tls ? await certificateFor(host) : undefined
  const { parseIceText } = await import('../src/adapters/webrtc/ice-settings.ts')
  const forPages =
    ice === undefined ? {} : { iceSettings: await readIceSettings(ice, parseIceText) }
  const start = (options) => startServer({ ...options, ...forPages, ...certificate?.settings })
  const server = await listen(start, host, asked)
  if (asked === undefined && server.port !== PORT_DEFAULT) {
    console.log(`Port ${PORT_DEFAULT} is taken, so this is port ${server.port}.`)
  }
  if (certificate === undefined) {
    console.log(`\n  zabra is at ${linkTo('http', host, server.port)}\n\n  Ctrl+C ends it.`)
    if (!isLoopback(host)) {
      console.log('  Other machines need https: browsers keep what we use to secure pages.')
      console.log('  npm start -- --tls serves it.')
    }
  } else {
    console.log(tlsText({ ...certificate.facts, host, port: server.port }))
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(server))
}

async function certificateFor(host) {
  const { fingerprintOf } = await import('../src/edge/certificate.ts')
  const store = await import('../src/edge/certificate-store.ts')
  const hosts = store.ownHosts(isEverywhere(host) ? [] : [host])
  const tls = await store.openCertificate(join(TOP, TLS_FOLDER), hosts, Date.now())
  const facts = {
    lan: store.lanAddresses().filter((address) => host === '::' || !address.includes(':')),
    fingerprint: fingerprintOf(tls.certificate),
    isNew: tls.isNew,
  }
  return { settings: { tls }, facts }
}

/** The server on the port that was asked for, or on the next free one when none was. */
async function listen(startServer, host, asked) {
  const first = asked ?? PORT_DEFAULT
  const last = asked ?? PORT_DEFAULT + PORTS_TRIED_MAX
  for (let port = first; port <= last; port += 1) {
    try {
      return await listenOn(startServer, host, port)
    } catch (error) {
      if (error.code === 'EACCES') throw new Error(`port ${port} is not for you; ${OTHER_PORT}`)
      if (error.code !== 'EADDRINUSE') throw error
    }
  }
  if (asked === undefined)
    throw new Error(`no port from ${first} to ${last} is free; ${OTHER_PORT}`)
  throw new Error(
    `port ${asked} is taken by another program. End that program, ${OTHER_PORT},` +
      ' or leave PORT out and a free one is found.',
  )
}

async function listenOn(startServer, host, port) {
  const server = await startServer({ host, port, staticDir: join(TOP, 'dist') })
  if (host !== '127.0.0.1' && host !== '0.0.0.0') return server
  try {
    await alsoOnIpv6(server.port)
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

/**
 * Hands connections to [::1] on to 127.0.0.1. `localhost` means either, and the address that we
 * left free could be another program's. One server behind both, so a room is one room.
 */
function alsoOnIpv6(port) {
  const bridge = createServer((incoming) => {
    const outgoing = connect(port, '127.0.0.1')
    incoming.pipe(outgoing).pipe(incoming)
    incoming.on('error', () => outgoing.destroy())
    outgoing.on('error', () => incoming.destroy())
  })
  return new Promise((resolve, reject) => {
    bridge.once('error', (error) => {
      // A machine without IPv6 has no second meaning of `localhost`.
      if (error.code === 'EADDRINUSE') reject(error)
      else resolve()
    })
    bridge.listen(port, '::1', () => {
      bridge.unref()
      resolve()
    })
  })
}

async function end(server) {
  // Open WebSockets may take their time; nothing here is worth waiting for.
  setTimeout(() => process.exit(0), 500).unref()
  await server.close()
  process.exit(0)
}
