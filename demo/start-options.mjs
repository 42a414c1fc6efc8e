// What `npm start` was asked for, and what it says. Pure, and nothing but the language: it runs
// before anything is installed.

const LOOPBACK = '127.0.0.1'
const EVERYWHERE = '0.0.0.0'
export const USAGE = `npm start -- [--tls] [--host ADDRESS] [--port N] [--ice FILE|JSON]

  --tls           https with a certificate of this machine's own, for the whole local network:
                  phones and other computers need https
  --host ADDRESS  address to listen on; else HOST; else this machine only (${LOOPBACK}),
                  with --tls all addresses (${EVERYWHERE})
  --port N        else PORT, else the first free one from 4173
  --ice FILE|JSON STUN and TURN servers for everybody who opens the pages, as RTCPeerConnection
                  takes them; whoever may open the pages can read the credentials`

/** Throws an Error with words for a person. */
export function startOptions(args, env) {
  let tls = false
  let host = env.HOST
  let ice
  let portFrom = 'PORT'
  let port = env.PORT
  for (let at = 0; at < args.length; at += 1) {
    const [name, attached] = splitOption(args[at])
    if (name === '--tls' && attached === undefined) {
      tls = true
      continue
    }
    if (name !== '--host' && name !== '--port' && name !== '--ice') {
      throw new Error(`'${args[at]}' is no option.\n\n${USAGE}`)
    }
    const value = attached ?? args[(at += 1)]
    if (value === undefined || value === '') throw new Error(`${name} needs a value.\n\n${USAGE}`)
    if (name === '--host') host = value
    else if (name === '--ice') ice = value
    else [portFrom, port] = ['--port', value]
  }
  return { tls, host: host || (tls ? EVERYWHERE : LOOPBACK), port: portOf(portFrom, port), ice }
}

function splitOption(arg) {
  const at = arg.indexOf('=')
  return at === -1 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)]
}

function portOf(from, text) {
  if (text === undefined || text === '') return undefined
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new Error(`${from} is '${text}', which is no port number (0 to 65535)`)
}

export function isLoopback(host) {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

export function isEverywhere(host) {
  return host === EVERYWHERE || host === '::'
}

export function linkTo(scheme, host, port) {
  const name = host === LOOPBACK || isEverywhere(host) ? 'localhost' : host
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}/`
}

/** What is printed when it runs over https. `lan`: addresses that others can reach. */
export function tlsText({ host, port, lan, fingerprint, isNew }) {
  const links = isEverywhere(host) ? lan : isLoopback(host) ? [] : [host]
  const forOthers =
    links.length === 0
      ? ['  No other machine can reach it: it has no address on a network.']
      : [
          '  For phones and computers on this network:',
          ...links.map((address) => `    ${linkTo('https', address, port)}`),
          '  To play with a phone, open this address here too and make the room there: a link with',
          '  localhost in it leads each machine to itself. The page then shows a QR code.',
        ]
  return `
  zabra is at ${linkTo('https', host, port)}

${forOthers.join('\n')}

  Each browser will ask once, because nobody but this machine vouches for its certificate:
    Chrome, Edge  "Your connection is not private": Advanced, then Proceed
    Firefox       "Warning: Potential Security Risk Ahead": Advanced, then Accept the Risk
    Safari        "This Connection Is Not Private": Show Details, then visit this website
  It is this machine that answers if the certificate there has the SHA-256 fingerprint
    ${fingerprint}
  ${isNew ? 'It was made just now and is kept in .tls' : 'It is the one kept in .tls'},
  readable by you only. Never publish that folder.

  Why https: away from localhost browsers give keys, locks and lasting storage to it only.
  Whoever reaches this address can open the pages; into a room comes who has its link.

  Ctrl+C ends it.`
}
